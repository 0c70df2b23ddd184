/** Which answers a subscription takes for the last word. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerHttp2Stream } from "node:http2";
import { FakeClock } from "../harness/fake_clock.ts";
import { mayPass } from "../lib/client/may_pass.ts";
import type { FalcoClient } from "../lib/client/connect.ts";
import { FalcoConnectError, FalcoError, type FalcoRpcError } from "../lib/errors.ts";
import type { FalcoConnectReason } from "../lib/errors.ts";
import { answerWith, GRPC_HEADERS, rejection, transports, withAnswer } from "./client_probes.ts";
import { Story } from "./reconnect_probes.ts";

/** gRPC's statuses that are worth another attempt, and those that are not. */
const passing = [1, 2, 4, 8, 10, 13, 14, 15];
const final = [3, 5, 6, 7, 9, 11, 12, 16];

async function assertTriesAgain(falco: FalcoClient): Promise<void> {
  const alerts = falco.outputs.subscribe();
  const story = new Story(alerts);
  const reader = alerts.getReader();
  const read = reader.read();
  await story.nth("reconnecting", 1);
  await reader.cancel();
  assert.equal((await read).done, true);
  await story.told;
  assert.equal(story.types, "connecting open reconnecting closed");
}

async function assertFails(falco: FalcoClient, types: string): Promise<FalcoError> {
  const alerts = falco.outputs.subscribe();
  const story = new Story(alerts);
  const error = await rejection(alerts.getReader().read());
  await story.told;
  assert.equal(story.types, types);
  assert(error instanceof FalcoError);
  return error;
}

for (const status of [...passing, ...final]) {
  const tries = passing.includes(status);
  test(`Subscription ${tries ? "tries again after" : "fails with"} status ${status}`, async () => {
    const trailersOnly = (stream: ServerHttp2Stream): void =>
      stream.respond({ ...GRPC_HEADERS, "grpc-status": String(status) }, { endStream: true });
    const trailers = (stream: ServerHttp2Stream): void =>
      answerWith(stream, new Uint8Array(), { "grpc-status": String(status) });
    const cases = [trailersOnly, trailers].flatMap((answer) =>
      transports.map((transport) => ({ answer, transport }))
    );
    for (const { answer, transport } of cases) {
      await withAnswer(answer, async (falco) => {
        if (tries) return await assertTriesAgain(falco);
        // After "unimplemented" the older service has its turn.
        const error = await assertFails(
          falco,
          status === 12 ? "connecting open open closed" : "connecting open closed",
        );
        assert.equal((error as FalcoRpcError).status, status);
      }, { clock: new FakeClock(), transport });
    }
  });
}

for (
  const [status, tries] of [[502, true], [503, true], [504, true], [429, true], [404, false], [
    401,
    false,
  ], [500, false]] as const
) {
  test(`Subscription ${tries ? "tries again after" : "fails with"} HTTP status ${status}`, async () => {
    for (const transport of transports) {
      await withAnswer((stream) => {
        stream.respond({ ":status": status, "content-type": "text/plain" });
        stream.end("from a proxy");
      }, async (falco) => {
        if (tries) return await assertTriesAgain(falco);
        const error = await assertFails(falco, "connecting open closed");
        assert.equal((error as FalcoConnectError).reason, "protocol");
      }, { clock: new FakeClock(), transport });
    }
  });
}

const reasons: Record<FalcoConnectReason, boolean> = {
  "not-found": true,
  "refused": true,
  "timeout": true,
  "lost": true,
  "permission": false,
  "tls": false,
  "protocol": false,
};

test("FalcoConnectError says by its kind whether it may pass, unless told otherwise", () => {
  for (const [reason, expected] of Object.entries(reasons)) {
    const details = { address: "unix:///falco.sock", reason: reason as FalcoConnectReason };
    assert.equal(new FalcoConnectError("", details).passing, expected);
    assert.equal(new FalcoConnectError("", { ...details, passing: !expected }).passing, !expected);
    assert.equal(mayPass(new FalcoConnectError("", details), false), expected);
  }
});

test("mayPass() gives what was accepted before another chance", () => {
  const of = (reason: FalcoConnectReason, cause?: unknown) =>
    new FalcoConnectError("", { address: "https://localhost:5060", reason, cause });
  const coded = (code: string) => Object.assign(new Error(code), { code });
  assert.equal(mayPass(of("permission"), true), true);
  // A server that hangs up after the handshake refuses the certificate, or is being stopped.
  for (const cause of [undefined, coded("ECONNRESET"), coded("ERR_HTTP2_PING_CANCEL")]) {
    assert.equal(mayPass(of("tls", cause), false), false);
    assert.equal(mayPass(of("tls", cause), true), true);
  }
  assert.equal(mayPass(of("tls", coded("CERT_HAS_EXPIRED")), true), false);
  assert.equal(mayPass(of("protocol"), true), false);
});

test("mayPass() leaves errors alone that are not of the connection", () => {
  for (const error of [new FalcoError("x"), new TypeError("x"), "text", undefined]) {
    assert.equal(mayPass(error, true), false);
  }
});
