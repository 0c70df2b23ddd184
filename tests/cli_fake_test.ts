/** `fake` as a process: the ready line, what it serves, how it stops. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { connect } from "../lib/client/connect.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import { BareClient } from "./fake_falco_clients.ts";
import { runCli, startCli } from "./run_cli.ts";
import type { Running } from "./run_cli.ts";

const fixture = fileURLToPath(new URL("./fixtures/recorded/mixed.wire.jsonl", import.meta.url));

let folder: TempFolder;
before(async () => {
  folder = await makeTempFolder();
});
after(() => folder.remove());

/** Runs `fake`, and ends it whatever the test does. */
async function withFake(
  args: readonly string[],
  test: (address: string, running: Running) => Promise<void>,
): Promise<void> {
  const running = startCli(["fake", ...args]);
  try {
    const line = await running.firstLine;
    assert.match(line, /^listening on (unix:\/\/\/.+|https:\/\/localhost:\d+)$/);
    await test(line.slice("listening on ".length), running);
  } finally {
    // Not SIGKILL, which would leave its temporary folder behind.
    running.child.kill("SIGTERM");
    await running.finished;
  }
}

describe("fake", { skip: process.platform === "win32" }, () => {
  it("says that it has no gRPC as a Falco that has none", async () => {
    const { child, firstLine, finished } = startCli(["fake", "--falco-version", "0.44.0"]);
    try {
      assert.equal(await firstLine, "running without gRPC");
    } finally {
      child.kill("SIGTERM");
      await finished;
    }
  });

  it("has queued the whole fixture when it says that it listens", async () => {
    await withFake(["--fixture", fixture], async (address, { child }) => {
      const falco = connect(address);
      try {
        assert.equal((await Array.fromAsync(falco.outputs.get())).length, 64);
        assert.equal((await falco.version()).version, "0.43.1");
      } finally {
        await falco.close();
      }
      assert.equal(child.exitCode, null);
    });
  });

  it("writes certificates before it says that it listens, and takes them again", async () => {
    const certs = join(folder.path, "certs");
    for (const round of ["made", "taken again"]) {
      const before = round === "made" ? undefined : readFileSync(join(certs, "server.key"), "utf8");
      await withFake(["--listen", "localhost:0", "--certs", certs], async (address) => {
        const tls = {
          ca: join(certs, "ca.crt"),
          cert: join(certs, "client.crt"),
          key: join(certs, "client.key"),
        };
        const falco = connect(address, { tls });
        try {
          assert.equal((await falco.version()).version, "0.43.1", round);
        } finally {
          await falco.close();
        }
      });
      const present = readdirSync(certs).sort();
      assert.deepEqual(present, ["ca.crt", "client.crt", "client.key", "server.crt", "server.key"]);
      if (before !== undefined) {
        assert.equal(readFileSync(join(certs, "server.key"), "utf8"), before);
      }
    }
  });

  it("never writes over certificates that are not its own", async () => {
    const certs = join(folder.path, "others");
    mkdirSync(certs);
    writeFileSync(join(certs, "server.key"), "precious");
    const { status, stderr } = await runCli(["fake", "--listen", "localhost:0", "--certs", certs]);
    assert.equal(status, 2);
    assert.match(
      stderr,
      /others: it has some certificates but no ca\.crt, no server\.crt, no client/,
    );
    assert.equal(readFileSync(join(certs, "server.key"), "utf8"), "precious");
  });

  it("refuses a key of another certificate, as it was given", async () => {
    const certs = join(folder.path, "mixed");
    const [mine, other] = await Promise.all([makeCertificates(), makeCertificates()]);
    await writeCertificates(certs, { ...mine, server: { ...mine.server, key: other.server.key } });
    const { status, stdout, stderr } = await runCli(
      ["fake", "--listen", "localhost:0", "--certs", certs],
    );
    assert.deepEqual([status, stdout], [2, ""]);
    assert.equal(
      stderr,
      'Cannot listen at https://localhost:0: the key in "server.key" of "--certs" does not belong ' +
        'to the certificate in "server.crt" of "--certs". Pass the key that the certificate was ' +
        "made for\n",
    );
  });

  it("pushes at a rate, again and again with --loop", async () => {
    const args = ["--fixture", fixture, "--rate", "2000", "--loop"];
    await withFake(args, async (address) => {
      const falco = connect(address);
      try {
        const rules: string[] = [];
        for await (const alert of falco.outputs.subscribe()) {
          rules.push(alert.rule);
          if (rules.length === 130) break;
        }
        assert.deepEqual(rules.slice(64, 128), rules.slice(0, 64));
      } finally {
        await falco.close();
      }
    });
  });

  it("says in the end what clients did wrong, and with --strict ends with 1", async () => {
    for (const [args, expected] of [[[], 130], [["--strict"], 1]] as const) {
      await withFake(["--fixture", fixture, ...args], async (address, { child, finished }) => {
        const client = new BareClient({ address, credentials: undefined });
        try {
          await client.sub(); // never asks
          await (await client.call("falco.outputs.service/\u009b31m")).end();
          await (await client.call("falco.outputs.service/put")).end();
          process.kill(child.pid!, "SIGINT");
          const { status, stderr } = await finished;
          assert.equal(status, expected);
          assert.match(stderr, /^64 alerts are queued\n/);
          assert.match(
            stderr,
            /\nA call of falco\.outputs\.service\/sub was sent no request while alerts waited \(64\)\. Falco sends nothing on sub until the client sends a request\n/,
          );
          assert.match(
            stderr,
            /\nThere is no method ".*" \(2 times\)\. Falco answers with status 12/,
          );
          assert.doesNotMatch(stderr, /(?!\n)\p{Cc}/u);
        } finally {
          await client.close();
        }
      });
    }
    await withFake(["--strict", "--fixture", fixture], async (address, { child, finished }) => {
      const falco = connect(address);
      assert.equal((await Array.fromAsync(falco.outputs.get())).length, 64);
      await falco.close();
      process.kill(child.pid!, "SIGINT");
      const { status, stderr } = await finished;
      assert.deepEqual([status, stderr], [130, "64 alerts are queued\n"]);
    });
  });

  it("ends on Ctrl-C with 130 within 2 s, a client's idle call open or not", async () => {
    const socket = join(folder.path, "falco.sock");
    const args = ["--listen", `unix://${socket}`, "--fixture", fixture];
    await withFake(args, async (address, { child, finished }) => {
      const falco = connect(address);
      try {
        // Slow polls, so that Falco's own manner would be to wait for the next one.
        const alerts = falco.outputs.subscribe({
          minPollMs: 60_000,
          maxPollMs: 60_000,
          reconnect: false,
        });
        const reader: ReadableStreamDefaultReader<Alert> = alerts.getReader();
        for (let count = 0; count < 64; count++) assert.equal((await reader.read()).done, false);
        const idle = reader.read();
        idle.catch(() => {});
        const interruptedAt = performance.now();
        process.kill(child.pid!, "SIGINT");
        const { status, stdout } = await finished;
        assert.equal(status, 130);
        assert(performance.now() - interruptedAt < 2000);
        assert.equal(stdout, `listening on unix://${socket}\n`);
        assert(!existsSync(socket));
        await assert.rejects(() => idle, FalcoConnectError);
      } finally {
        await falco.close();
      }
    });
  });

  const cases: readonly { name: string; args: () => string[]; expected: RegExp }[] = [
    {
      name: "--loop without --rate",
      args: () => ["--fixture", fixture, "--loop"],
      expected: /^--loop needs --fixture and --rate/,
    },
    {
      name: "--rate without --fixture",
      args: () => ["--rate", "5"],
      expected: /^--rate needs --fixture/,
    },
    {
      name: "--certs on a unix socket",
      args: () => ["--certs", folder.path],
      expected: /^--certs is for TLS/,
    },
    {
      name: "an argument that is no option",
      args: () => ["alerts.jsonl"],
      expected: /^unexpected argument "alerts.jsonl"\. Alerts are given with --fixture/,
    },
    {
      name: "a missing fixture",
      args: () => ["--fixture", "nope.jsonl"],
      expected: /^nope\.jsonl: no such file/,
    },
    {
      name: "a broken fixture",
      args: () => {
        const path = join(folder.path, "broken.jsonl");
        writeFileSync(path, "{}\n");
        return ["--fixture", path];
      },
      expected: /broken\.jsonl:1:1: Cannot read the alert: it has no "rule"/,
    },
    {
      name: "an unusable address",
      args: () => ["--listen", "ftp://x"],
      expected: /^Cannot use the address "ftp:\/\/x"/,
    },
    {
      name: "an unknown version",
      args: () => ["--falco-version", "banana"],
      expected: /^Cannot be Falco "banana"/,
    },
  ];
  for (const { name, args, expected } of cases) {
    it(`refuses ${name} with one line and status 2`, async () => {
      const { status, stdout, stderr } = await runCli(["fake", ...args()]);
      assert.equal(status, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, expected);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    });
  }
});
