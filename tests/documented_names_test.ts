/** Names in README and docs: what is written in code type is there in the code. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { clients } from "./interop/clients.ts";
import { runtimeNames } from "./matrix/runtimes.ts";

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
const read = (path: string): string => readFileSync(at(path), "utf8");
const filesIn = (folder: string, end: string): readonly string[] =>
  readdirSync(at(folder), { recursive: true }).map((name) =>
    `${folder}/${String(name).replaceAll("\\", "/")}`
  ).filter((path) => path.endsWith(end));

const pages = [
  ...["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md"],
  ...["harness/README.md", "bench/README.md"],
  ...filesIn("docs", ".md"),
];
const rooms = ["lib", "harness", "gateway", "cli", "bench", "proto", "gen", "tests", "examples"];
/** All words of the code, but for what is written here. */
const words = new Set(
  rooms.flatMap((room) => [...filesIn(room, ".ts"), ...filesIn(room, ".proto")])
    .filter((path) => !path.endsWith("/documented_names_test.ts"))
    .flatMap((path) => read(path).match(/[A-Za-z_$][\w$]*/g) ?? []),
);
/** What belongs to others: RxJS, Falco's Go client. */
const foreign = new Set([
  ...["concatMap", "UnixSocketPath", "CertFile", "KeyFile", "InsecureSkipMutualTLSAuth"],
  ...["DialOptions", "NewForConfig", "GetPriority", "OutputFields"],
]);
/** By their keys, as the libraries that they need are not there when tests are checked. */
const benchmarks = [...read("bench/benchmarks.ts").matchAll(/^ {2}([a-z]+): \{$/gm)]
  .map(([, name]) => name!);

/** What stands in code type in a page: spans, and blocks of TypeScript. */
function* codeOf(page: string): Generator<string> {
  const text = read(page);
  for (const [, code = ""] of text.matchAll(/^```ts\n([^]*?)^```/gm)) yield code;
  for (const [, code = ""] of text.replace(/^```[^]*?^```/gm, "").matchAll(/`([^`]+)`/g)) {
    yield code;
  }
}

describe("Names in code type", () => {
  for (const page of pages) {
    it(`are names of the code: ${page}`, () => {
      const missing = new Set<string>();
      for (const code of codeOf(page)) {
        // Words such as maxWaitMs and FilterStream: whatever else stands there may be of anybody.
        for (const [name] of code.matchAll(/\b[A-Za-z][a-z]+[A-Z]\w*/g)) {
          if (!words.has(name) && !foreign.has(name)) missing.add(name);
        }
      }
      assert.deepEqual([...missing], []);
    });
  }

  it("of options are options of a command, or of a runtime", () => {
    const taken = filesIn("cli", ".ts").map(read).join("\n");
    // But for the page about other programs.
    const own = pages.filter((page) => page !== "docs/from_client_go.md");
    for (const page of own.filter((page) => /^README|^docs/.test(page))) {
      for (const code of codeOf(page)) {
        const [, option] = /^--([a-z][a-z-]*)/.exec(code) ?? [];
        if (option === undefined || /^(?:allow|ignore|no)-|^help$/.test(option)) continue;
        assert.match(
          taken,
          new RegExp(`^ +"?${option}"?: \\{ type:`, "m"),
          `--${option} in ${page}`,
        );
      }
    }
  });
});

describe("What is written about", () => {
  it("installing names the package", () => {
    const { name } = JSON.parse(read("deno.json")) as { name: string };
    const commands = [...read("README.md").matchAll(/^(?:deno|npx jsr|bunx jsr) add (\S+)/gm)];
    assert.deepEqual(commands.map(([, target]) => target), [`jsr:${name}`, name, name]);
  });

  it("benchmarks has each of them", () => {
    const rows = [...read("bench/README.md").matchAll(/^\| `([a-z]+)` +\|/gm)];
    assert.deepEqual(rows.map(([, name]) => name).sort(), [...benchmarks].sort());
  });

  it("clients of other makes has each of them", () => {
    const rows = [...read("tests/interop/README.md").matchAll(/^\| ([a-z][a-z-]*) +\| [^w]/gm)];
    assert.deepEqual(
      rows.map(([, name]) => name).filter((name) => name !== "name").sort(),
      clients.map(({ name }) => name).sort(),
    );
  });

  it("rooms has each of them, and no other", () => {
    const table = read("ARCHITECTURE.md").matchAll(/^\| ((?:`[\w./]+`(?:, )?)+) +\|/gm);
    const named = [...table].flatMap(([, cell = ""]) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, path]) => path!)
    );
    for (const path of named) assert(existsSync(at(path)), path);
    const folders = readdirSync(at("lib"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory()).map(({ name }) => `lib/${name}/`);
    const tops = rooms.filter((room) => room !== "lib").map((room) => `${room}/`);
    for (const folder of [...folders, ...tops]) assert(named.includes(folder), folder);
  });

  const known: Record<string, readonly string[]> = {
    matrix: runtimeNames,
    bench: benchmarks,
    interop: clients.map(({ name }) => name),
  };
  for (const [task, names] of Object.entries(known)) {
    it(`deno task ${task} gives it names that there are`, () => {
      for (const page of [...pages, ".ci/run", ".github/workflows/ci.yml"]) {
        const named = new RegExp(
          `(?:deno(?:@[\\d.]+)?|\\$DENO) task ${task}((?: [a-z][\\w-]*)+)`,
          "g",
        );
        for (const [, list = ""] of read(page).replace(/# .*/g, "").matchAll(named)) {
          for (const name of list.trim().split(" ")) {
            assert(names.includes(name), `${name} in ${page}`);
          }
        }
      }
    });
  }
});
