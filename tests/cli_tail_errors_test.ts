/** One sentence for each thing that can be wrong: the library's and that of `tail`, word for word. */
import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { createServer as createHttp2Server } from "node:http2";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { connect } from "../lib/client/connect.ts";
import { FalcoError } from "../lib/errors.ts";
import type { TlsCredentials } from "../lib/transport/credentials.ts";
import { mayOpenAll, withServer } from "./client_probes.ts";
import {
  argumentsFor,
  libraryWords,
  pattern,
  prepareTroubles,
  removeTroubles,
  troubles,
} from "./connect_troubles.ts";
import type { Where } from "./connect_troubles.ts";
import { runChild } from "./run_child.ts";
import { runCli } from "./run_cli.ts";
import type { Finished } from "./run_cli.ts";
import { outcome } from "./stream_probes.ts";

const isRoot = await mayOpenAll();
const patient = { timeout: 120_000 };

before(prepareTroubles);
after(removeTroubles);

async function assertLibrary(expected: RegExp, where: Where): Promise<void> {
  const { address, certs, serverName } = where;
  const named = serverName === undefined ? {} : { serverName };
  const tls: TlsCredentials | undefined = certs === undefined ? undefined : {
    ca: join(certs, "ca.crt"),
    cert: join(certs, "client.crt"),
    key: join(certs, "client.key"),
    ...named,
  };
  const falco = connect(address, { tls });
  try {
    const { error } = await outcome(falco.outputs.subscribe({ reconnect: false }));
    assert(error instanceof FalcoError, String(error));
    const start = `Cannot connect to ${address}: `;
    assert(error.message.startsWith(start), error.message);
    assert.match(error.message.slice(start.length), expected);
  } finally {
    await falco.close();
  }
}

function assertTail({ status, stdout, stderr }: Finished, expected: RegExp, where: Where): void {
  assert.deepEqual([status, stdout], [1, ""], stderr);
  const last = stderr.split("\n").at(-2)!;
  const start = `Cannot connect to ${where.address}: `;
  assert(last.startsWith(start), stderr);
  assert.match(last.slice(start.length), expected);
}

describe("connect() and tail say in words what is wrong if", () => {
  for (const { name, trouble, sentence, skip = false } of troubles) {
    it(name, { ...patient, skip }, async () => {
      await trouble(async (where) => {
        const [tailed] = await Promise.all([
          runCli(["tail", "--no-reconnect", ...argumentsFor(where)]),
          assertLibrary(pattern(sentence, where, libraryWords), where),
        ]);
        assertTail(tailed, pattern(sentence, where), where);
      });
    });
  }

  it("the socket belongs to another user", {
    ...patient,
    skip: isRoot ? false : "only root can become somebody else",
  }, async () => {
    const fake = await FakeFalco.start();
    try {
      const path = fake.address.slice("unix://".length);
      chmodSync(path.slice(0, path.lastIndexOf("/")), 0o755);
      chmodSync(path, 0o700);
      const args = ["tail", "--no-reconnect", path];
      const words = "permission denied. Falco creates the socket for its own user; " +
        "run as that user or change its mode";
      const where = { address: fake.address };
      assertTail(await runChild("other_user_cli.ts", { args }), pattern(words, where), where);
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });

  it("the server has no alerts to give", patient, async () => {
    const server = createHttp2Server((_, response) => {
      response.writeHead(200, { "content-type": "application/grpc", "grpc-status": "12" });
      response.end();
    });
    await withServer(server, "unix", async (address) => {
      const words =
        "Cannot get alerts: the server offers neither falco.outputs.service (Falco 0.24 to 0.43) " +
        "nor falco.output.service (0.18 to 0.23). Check that the address is Falco's; 0.44 has no gRPC";
      const falco = connect(address);
      const { error } = await outcome(falco.outputs.subscribe());
      assert.equal((error as Error).message, words);
      await falco.close();
      const { status, stdout, stderr } = await runCli(["tail", address]);
      assert.deepEqual([status, stdout, stderr.split("\n").at(-2)], [1, "", words]);
    });
  });

  it("an alert is longer than a message may be", patient, async () => {
    const fake = await FakeFalco.start();
    try {
      const long = buildAlert({ output: "x".repeat(4 * 1024 * 1024) });
      fake.push(long, buildAlert({ rule: "the next one" }));
      const { status, stdout, stderr } = await runCli(["tail", fake.address, "--limit", "1"]);
      assert.equal(status, 0, stderr);
      assert.equal(JSON.parse(stdout).rule, "the next one");
      const words =
        /^Cannot read the answer of falco\.outputs\.service\/sub: the message has \d+ bytes, /m;
      assert.match(stderr, words);
      assert.match(
        stderr,
        / 4194304 are allowed\. That alert is lost; raise maxMessageBytes of connect\(\) for others like it\. /,
      );
      assert.match(
        stderr,
        /^there was no connection for .+: alerts may be missing after the first 0$/m,
      );
      assert.match(stderr, /^invalid: {5}1 messages were no alerts$/m);
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });
});
