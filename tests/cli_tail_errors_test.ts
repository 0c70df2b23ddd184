/** One sentence for each thing that can be wrong: the library's and that of `tail`, word for word. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { connect } from "../lib/client/connect.ts";
import { FalcoError } from "../lib/errors.ts";
import type { TlsCredentials } from "../lib/transport/credentials.ts";
import {
  argumentsFor,
  pattern,
  runTroubled,
  testTroubles,
  withoutServices,
} from "./connect_troubles.ts";
import type { Where } from "./connect_troubles.ts";
import { libraryWords } from "./option_words.ts";
import { runCli } from "./run_cli.ts";
import type { Finished } from "./run_cli.ts";
import { outcome } from "./stream_probes.ts";

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
  testTroubles(async (one, where) => {
    const [tailed] = await Promise.all([
      runTroubled(one, ["tail", "--no-reconnect", ...argumentsFor(where)]),
      // This process may open every socket.
      one.asOther ? undefined : assertLibrary(pattern(one.sentence, where, libraryWords), where),
    ]);
    assertTail(tailed, pattern(one.sentence, where), where);
  });

  it("the server has no alerts to give", async () => {
    await withoutServices(async (address) => {
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

  it("an alert is longer than a message may be", async () => {
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
