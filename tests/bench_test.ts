/** The benchmarks' own machinery: that rivals are checked, figures are right and results are kept. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { compare } from "../bench/compare.ts";
import { atLeast, atMost, below, measurement, spreadOf } from "../bench/measurement.ts";
import { mergeResults } from "../bench/merge_results.ts";
import { formatMeasurement, formatReport } from "../bench/report.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const noTime = { turnMs: 0, warmUpMs: 0 };

/** Runs the benchmarks without the libraries of others, which the package does not install. */
function runBench(
  args: readonly string[],
): Promise<{ status: number | null; out: string; err: string }> {
  const prefix = "Deno" in globalThis
    ? [
      "run",
      "--quiet",
      `--config=${join(root, "deno.json")}`,
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      "--allow-sys=cpus,loadavg,systemMemoryInfo",
      "--ignore-env",
    ]
    : [];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...prefix, join(root, "bench/main.ts"), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => out += text);
    child.stderr.setEncoding("utf8").on("data", (text: string) => err += text);
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, out, err }));
  });
}

describe("deno task bench", () => {
  it("lists the benchmarks", async () => {
    const { status, out } = await runBench(["--list"]);
    assert.equal(status, 0);
    const names = out.trimEnd().split("\n").map((line) => line.split(" ")[0]!);
    for (const name of ["streams", "chains", "garbage", "conditions"]) {
      assert(names.includes(name), name);
    }
  });

  it("prints its help", async () => {
    const { status, out } = await runBench(["--help"]);
    assert.equal(status, 0);
    for (const option of ["--list", "--rounds", "--quick", "--json", "--results"]) {
      assert(out.includes(option), option);
    }
  });

  const mistakes: readonly [args: string[], message: RegExp][] = [
    [["nothing"], /^Cannot run "nothing": there is no such benchmark\. Try streams, /],
    [["carriers", "nothing"], /^Cannot run "nothing"/],
    [["--rounds", "0"], /^Cannot run "0" rounds/],
    [["--rounds", "1.5"], /^Cannot run "1\.5" rounds/],
    [["--loud"], /--loud/],
    [["--quick", "--results", "x.md"], /^Cannot write results of "--quick"/],
  ];
  for (const [args, message] of mistakes) {
    it(`refuses ${args.join(" ")}`, async () => {
      const { status, out, err } = await runBench(args);
      assert.equal(status, 2);
      assert.equal(out, "");
      assert.match(err, message);
    });
  }

  it("writes all figures, with versions, date and machine", async () => {
    const folder = await makeTempFolder();
    try {
      const file = join(folder.path, "figures.json");
      const { status, out, err } = await runBench([
        "carriers",
        "--quick",
        "--rounds",
        "3",
        "--json",
        file,
      ]);
      assert.equal(status, 0, err);
      assert.match(out, /decodeAlert/);
      const { version, date, isQuick, machine, reports } = JSON.parse(await readFile(file, "utf8"));
      assert.equal(version, 1);
      assert.match(date, /^\d{4}-\d\d-\d\dT/);
      assert.equal(isQuick, true);
      assert.equal(
        machine.runtime,
        process.versions["bun"] ? "Bun" : "Deno" in globalThis ? "Deno" : "Node",
      );
      assert.match(machine.version, /^\d+\.\d+/);
      assert.match(machine.engine, /^(V8|JavaScriptCore) \w/);
      assert(machine.cores >= 1 && machine.memoryGiB >= 0);
      assert.match(machine.packages.rxjs, /^7\./);
      assert.match(machine.packages["@bufbuild/protobuf"], /^2\./);
      for (const version of Object.values<string>(machine.packages)) {
        assert.match(version, /^\d+\.\d+\.\d+$/);
      }
      assert.deepEqual(reports.map((report: { benchmark: string }) => report.benchmark), [
        "carriers",
      ]);
      const [first] = reports[0].parts;
      assert.equal(first.unit, "µs");
      assert.equal(typeof first.digest, "number");
      assert.equal(first.results[0].ratio.median, 1);
      assert.deepEqual(first.results.map((one: { values: number[] }) => one.values.length), [3, 3]);
    } finally {
      await folder.remove();
    }
  });
});

describe("deno task bench --results", () => {
  it("puts its section next to the others", async () => {
    const folder = await makeTempFolder();
    try {
      const file = join(folder.path, "RESULTS.md");
      await writeFile(file, "## streams\n\nHow?\n\n### Deno\n\nkept\n");
      const { status, err } = await runBench(["carriers", "--rounds", "1", "--results", file]);
      assert.equal(status, 0, err);
      const text = await readFile(file, "utf8");
      assert.match(text, /\n## streams\n\nHow\?\n\n### Deno\n\nkept\n\n## carriers\n/);
      assert.match(text, /\| decodeAlert \|/);
    } finally {
      await folder.remove();
    }
  });
});

describe("bench/deno.json", () => {
  const read = (file: string) => JSON.parse(readFileSync(join(root, file), "utf8"));

  it("has what the package has, and the rivals", () => {
    const config = read("deno.json");
    const { imports, compilerOptions } = read("bench/deno.json");
    assert.deepEqual({ ...imports, ...config.imports }, imports);
    assert.deepEqual(compilerOptions, config.compilerOptions);
    for (const rival of ["rxjs", "@marcbachmann/cel-js", "@grpc/grpc-js", "@grpc/proto-loader"]) {
      assert(rival in imports && !(rival in config.imports), rival);
    }
  });

  it("locks the package's dependencies to the same versions", () => {
    const { specifiers } = read("deno.lock");
    const own = read("bench/deno.lock").specifiers;
    assert.deepEqual({ ...own, ...specifiers }, own);
  });
});

describe("compare", () => {
  it("gives each rival one turn a round, after two to warm up, and each round another first", async () => {
    const turns: string[] = [];
    const rival = (name: string) => ({
      name,
      run() {
        turns.push(name);
        return { operations: 1, digest: 7 };
      },
    });
    const options = { ...noTime, rounds: 3 };
    const { digest, results } = await compare("q", [rival("a"), rival("b")], options);
    assert.equal(turns.join(""), "abab" + "abbaab");
    assert.equal(digest, 7);
    assert.deepEqual(results.map(({ name, values }) => [name, values.length]), [["a", 3], [
      "b",
      3,
    ]]);
  });

  it("repeats what is quick until a turn has taken its time", async () => {
    let runs = 0;
    const quick = { name: "a", run: () => ({ operations: ++runs, digest: 1 }) };
    await compare("q", [quick], { rounds: 1, turnMs: 5, warmUpMs: 1 });
    assert(runs > 100);
  });

  it("gives the time of one operation", async () => {
    const one = { name: "one", run: () => ({ operations: 1, digest: 1 }) };
    const many = { name: "many", run: () => ({ operations: 1e6, digest: 1 }) };
    const { results } = await compare("q", [one, many], { rounds: 5, turnMs: 1, warmUpMs: 1 });
    assert(results[1]!.ratio.median < 0.01);
  });

  it("refuses a rival that did other work, in the first run and in a later one", async () => {
    const honest = { name: "honest", run: () => ({ operations: 1, digest: 1 }) };
    const wrong = { name: "wrong", run: () => ({ operations: 1, digest: 2 }) };
    await assert.rejects(compare("q", [honest, wrong], { ...noTime, rounds: 1 }), {
      message: 'Cannot compare "wrong": it did other work, 2 instead of 1',
    });
    let runs = 0;
    const late = { name: "late", run: () => ({ operations: 1, digest: ++runs > 4 ? 2 : 1 }) };
    await assert.rejects(compare("q", [honest, late], { ...noTime, rounds: 5 }), /"late"/);
  });
});

describe("measurement", () => {
  it("takes ratios within a round", () => {
    const raw = [
      { name: "a", values: [1, 10, 100] },
      { name: "b", values: [2, 30, 200], goal: atLeast(2) },
      { name: "c", values: [1, 5, 40], goal: atMost(0.4) },
      { name: "d", values: [1, 1, 1], goal: below(1) },
    ];
    const { results } = measurement("q", { unit: "B", digest: 1, results: raw });
    assert.deepEqual(results.map(({ ratio }) => ratio.median), [1, 2, 0.5, 0.1]);
    assert.deepEqual(results[1]!.ratio, { median: 2, low: 2, high: 2.5 });
    assert.deepEqual(results[1]!.value, { median: 30, low: 16, high: 115 });
    assert.deepEqual(results.map(({ goal }) => goal?.isMet), [undefined, true, false, false]);
  });

  it("finds medians and quartiles", () => {
    assert.deepEqual(spreadOf([3]), { median: 3, low: 3, high: 3 });
    assert.deepEqual(spreadOf([4, 1, 3, 2]), { median: 2.5, low: 1.75, high: 3.25 });
    assert.deepEqual(spreadOf([10, 9, 5, 1, 7]), { median: 7, low: 5, high: 9 });
  });
});

describe("reports", () => {
  const one = measurement("How fast?", {
    unit: "µs",
    digest: 1,
    results: [
      { name: "ours", values: [0.5, 0.5] },
      { name: "theirs", values: [20, 30], goal: atLeast(45) },
    ],
  });

  it("have the ratios first", () => {
    const lines = formatMeasurement(one).split("\n");
    assert.equal(lines[0], "How fast?");
    assert.match(lines[2]!, /^ +1\.00 × +ours +500 ns$/);
    assert.match(
      lines[3]!,
      /^ +50\.0 × +\(45\.0 to 55\.0\) +theirs +25\.0 µs +goal: at least 45 ×, met$/,
    );
  });

  it("name date, versions and machine in RESULTS.md", () => {
    const machine = {
      runtime: "Bun" as const,
      version: "1.4.5",
      engine: "JavaScriptCore 1",
      system: "linux x64",
      processor: "P",
      cores: 2,
      memoryGiB: 8,
      load: 0.5,
      packages: { rxjs: "7.8.2" },
    };
    const text = formatReport({ benchmark: "x", parts: ["A note.", one] }, machine, "2026-01-31");
    assert(text.startsWith(
      "2026-01-31; Bun 1.4.5 (JavaScriptCore 1); linux x64, 2 cores of P, 8 GiB; load before 0.5.",
    ));
    assert(text.includes("Packages: rxjs 7.8.2."));
    assert(text.includes("A note."));
    assert(text.includes("| 50.0 × | 45.0 to 55.0 | theirs | 25.0 µs | at least 45 ×: met |"));
  });
});

describe("mergeResults", () => {
  const section = (benchmark: string, runtime: string, text: string) => ({
    benchmark,
    question: `${benchmark}?`,
    runtime,
    text,
  });
  const headings = (text: string) => text.match(/^##.*$/gm)?.map((line) => line.slice(2).trim());

  it("keeps what others have written, in the order of the benchmarks and the runtimes", () => {
    let file = mergeResults("", [section("b", "Node", "bn")], ["a", "b"]);
    file = mergeResults(file, [section("b", "Deno", "bd"), section("a", "Bun", "ab")], ["a", "b"]);
    assert.deepEqual(headings(file), ["a", "# Bun", "b", "# Deno", "# Node"]);
    for (const text of ["bn", "bd", "ab", "a?", "b?"]) assert(file.includes(`\n${text}\n`), text);
  });

  it("replaces its own sections, and changes nothing when it writes the same again", () => {
    const old = mergeResults("", [section("a", "Deno", "one"), section("a", "Bun", "two")], ["a"]);
    const next = mergeResults(old, [section("a", "Deno", "three")], ["a"]);
    assert(!next.includes("one") && next.includes("two") && next.includes("three"));
    assert.equal(mergeResults(next, [section("a", "Deno", "three")], ["a"]), next);
  });

  it("drops the results of benchmarks that are no more", () => {
    const old = mergeResults("", [section("a", "Deno", "one")], ["a"]);
    assert.deepEqual(headings(mergeResults(old, [], ["b"])), undefined);
  });
});
