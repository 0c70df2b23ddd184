/** `fake -c falco.yaml` as a process: standard streams, signals, what is refused. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { connect } from "../lib/client/connect.ts";
import { runCli, startCli } from "./run_cli.ts";
import type { Finished, Running } from "./run_cli.ts";
import { until } from "./waits.ts";

const fixture = fileURLToPath(new URL("./fixtures/recorded/mixed.wire.jsonl", import.meta.url));

let folder: TempFolder;
before(async () => {
  folder = await makeTempFolder();
});
after(() => folder.remove());
let count = 0;
const newPath = (name: string): string => join(folder.path, `${name}-${count++}`);
const writeConfig = (text: string): string => {
  const path = newPath("falco.yaml");
  writeFileSync(path, text);
  return path;
};
const unixConfig = (path: string): string =>
  `grpc:\n  enabled: true\n  bind_address: "unix://${path}"\n  threadiness: 8\n` +
  "grpc_output:\n  enabled: true\n";

async function withFake(
  args: readonly string[],
  test: (firstLine: string, running: Running) => Promise<void>,
  signal: "SIGINT" | "SIGTERM" = "SIGTERM",
): Promise<Finished> {
  const running = startCli(["fake", ...args]);
  try {
    await test(await running.firstLine, running);
  } finally {
    // Not child.kill(), after which Deno does not tell the status.
    process.kill(running.child.pid!, signal);
    await running.finished;
  }
  return await running.finished;
}

describe("fake -c", { skip: process.platform === "win32" }, () => {
  it("serves the documentation's configuration of a socket", async () => {
    const sock = newPath("sock");
    const config = writeConfig(unixConfig(sock));
    const { stdout, stderr, status } = await withFake(
      ["-c", config, "--fixture", fixture],
      async (line) => {
        assert.equal(line, `listening on unix://${sock}`);
        const falco = connect(`unix://${sock}`);
        assert.equal((await falco.version()).version, "0.43.1");
        assert.equal((await Array.fromAsync(falco.outputs.get())).length, 64);
        await falco.close();
      },
      "SIGINT",
    );
    assert.equal(status, 130);
    // Nothing else on standard output: stdout_output is off.
    assert.equal(stdout, `listening on unix://${sock}\n`);
    assert.match(stderr, /^Events detected: 64$/m);
    assert(!existsSync(sock));
  });

  it("serves the documentation's configuration of mutual TLS, and warns as Falco does", async () => {
    const certs = newPath("certs");
    const certificates = await makeCertificates();
    mkdirSync(certs);
    await writeCertificates(certs, certificates);
    const config = writeConfig(
      `grpc:\n  enabled: true\n  bind_address: "0.0.0.0:0"\n  threadiness: 8\n` +
        `  private_key: "${certs}/server.key"\n  cert_chain: "${certs}/server.crt"\n` +
        `  root_certs: "${certs}/ca.crt"\ngrpc_output:\n  enabled: true\n`,
    );
    const { stderr } = await withFake(["-c", config, "--fixture", fixture], async (line) => {
      const [, address] = /^listening on (https:\/\/localhost:\d+)$/.exec(line)!;
      const { ca, client } = certificates;
      const falco = connect(address!, { tls: { ca, ...client } });
      assert.equal((await falco.version()).version, "0.43.1");
      let seen = 0;
      for await (const _ of falco.outputs.subscribe()) if (++seen === 64) break;
      assert.deepEqual(await Array.fromAsync(falco.outputs.get()), []);
      await falco.close();
    });
    assert.match(
      stderr,
      /:5:3: the schema of Falco does not know "private_key", but Falco uses it/,
    );
  });

  it("prints alerts behind the ready line with stdout_output, and the summary at the end", async () => {
    const config = writeConfig("json_output: true\nstdout_output: { enabled: true }\n");
    const { stdout, status } = await withFake(
      ["-c", config, "-U", "--fixture", fixture],
      (line) => {
        assert.equal(line, "running without gRPC");
        return Promise.resolve();
      },
    );
    assert.equal(status, 143);
    const lines = stdout.trimEnd().split("\n");
    assert.equal(lines[0], "running without gRPC");
    assert.deepEqual(
      lines.slice(1, 65).map((line) => JSON.parse(line).source),
      Array(64).fill("alertgen"),
    );
    assert.equal(lines[65], "Events detected: 64");
  });

  it("delivers what waits for a program, a file and gRPC when it is stopped", async () => {
    const [program, file] = [newPath("program"), newPath("events")];
    const config = writeConfig(
      `file_output: { enabled: true, keep_alive: true, filename: ${file} }\n` +
        `program_output: { enabled: true, keep_alive: true, program: "cat > ${program}" }\n`,
    );
    await withFake(["-c", config, "--fixture", fixture], () => Promise.resolve());
    const lines = readFileSync(file, "utf8");
    assert(lines.length > 64 * 80);
    assert.equal(readFileSync(program, "utf8"), lines);
  });

  it("says what it did not deliver, and ends within two seconds all the same", async () => {
    const config = writeConfig('program_output: { enabled: true, program: "cat; sleep 3" }\n');
    const running = startCli(["fake", "-c", config, "--fixture", fixture]);
    await running.firstLine;
    const stoppedAt = performance.now();
    process.kill(running.child.pid!, "SIGTERM");
    // Not "close": the program, which it leaves behind as Falco does, holds standard error open.
    await new Promise((resolve) => running.child.once("exit", resolve));
    assert(performance.now() - stoppedAt < 3000);
    const { stderr } = await running.finished;
    assert.match(stderr, /alerts that did not get out: too late 63/);
  });

  it("reads the file again on SIGHUP and reopens files on SIGUSR1", async () => {
    const file = newPath("events");
    const output = `file_output: { enabled: true, keep_alive: true, filename: ${file} }\n`;
    const config = writeConfig(`log_stderr: true\n${output}`);
    const { stderr } = await withFake(
      ["-c", config, "-U", "--fixture", fixture],
      async (_line, { child }) => {
        let log = "";
        child.stderr.on("data", (text: string) => log += text);
        renameSync(file, `${file}.1`);
        process.kill(child.pid!, "SIGUSR1");
        await until("the file is there", () => existsSync(file));
        assert.equal(readFileSync(file, "utf8"), "");
        writeFileSync(config, `log_stderr: true\njsonoutput: 1\n${output}`);
        process.kill(child.pid!, "SIGHUP");
        await until("it warns", () => /unknown key "jsonoutput"/.test(log));
      },
    );
    assert.match(stderr, /: SIGUSR1 received, reopening outputs\.\.\.$/m);
    assert.match(stderr, /: SIGHUP received, restarting\.\.\.$/m);
    assert.equal(stderr.match(/Events detected: (64|0)/g)?.length, 2);
  });

  const cases: readonly (readonly [name: string, args: () => string[], expected: RegExp])[] = [
    [
      "-r",
      () => ["-c", writeConfig("stdout_output: {enabled: true}\n"), "-r", "rules.yaml"],
      /^rules are not evaluated here, so there is no -r\. Give alerts with --fixture FILE$/m,
    ],
    ["a missing file", () => ["-c", "/no/such.yaml"], /^\/no\/such\.yaml: Could not find config/],
    [
      "a file that Falco refuses",
      () => ["-c", writeConfig("stdout_output:\n  enabled: true\npriority: loud\n")],
      /falco\.yaml-\d+:3:11: Unknown priority "loud"--must be one of/,
    ],
    [
      "broken YAML",
      () => ["-c", writeConfig("a: b: c\n")],
      /falco\.yaml-\d+:1:\d+: Cannot read the configuration: /,
    ],
    [
      "--listen beside it",
      () => ["-c", "x.yaml", "--listen", "localhost:0"],
      /^--listen cannot be given with --config: change grpc in x\.yaml$/m,
    ],
    ["-U without it", () => ["-U"], /^--unbuffered needs --config$/m],
    [
      "a bad --syslog",
      () => ["-c", writeConfig("stdout_output: {enabled: true}\n"), "--syslog", "x"],
      /^Cannot send syslog messages to "x": it is no such address/,
    ],
  ];
  for (const [name, args, expected] of cases) {
    it(`refuses ${name} with one line and status 2`, async () => {
      const { status, stdout, stderr } = await runCli(["fake", ...args()]);
      assert.equal(status, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, expected);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    });
  }
});
