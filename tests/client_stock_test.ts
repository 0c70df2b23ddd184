/** connect-node as the transport: what it makes of what only our own one can read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { responseSchema as firstSchema } from "../gen/legacy_output_pb.ts";
import { responseSchema } from "../gen/outputs_pb.ts";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { alertOfResponse } from "../lib/alert/alert_of_response.ts";
import { decodeAlert, encodeAlert } from "../lib/alert/wire.ts";
import { connect } from "../lib/client/connect.ts";
import { AlertFormatError, FalcoRpcError } from "../lib/errors.ts";
import { frameMessage } from "../lib/transport/message_splitter.ts";
import { bytesOf } from "../lib/transport/stream_call.ts";
import { wireAlert } from "./alert_arbitraries.ts";
import { GRPC_HEADERS, join, withAnswer } from "./client_probes.ts";
import { passAll } from "./reconnect_probes.ts";
import { outcome } from "./stream_probes.ts";

test("alertOfResponse() makes the alerts that decodeAlert() makes", () => {
  fc.assert(fc.property(wireAlert, (alert) => {
    const bytes = encodeAlert(alert);
    assert.deepEqual(alertOfResponse(fromBinary(responseSchema, bytes)), decodeAlert(bytes));
    const fields = { hostname: true, tags: false, sourceName: false };
    const old = encodeAlert(alert, fields);
    assert.deepEqual(alertOfResponse(fromBinary(responseSchema, old)), decodeAlert(old));
    assert.deepEqual(alertOfResponse(fromBinary(firstSchema, old)), decodeAlert(old));
  }));
});

test("alertOfResponse() keeps hostile names of fields, and takes no other priority", () => {
  const outputFields = JSON.parse('{"__proto__": "a", "constructor": "b"}');
  const message = fromBinary(responseSchema, encodeAlert(buildAlert({ outputFields })));
  const alert = alertOfResponse(message);
  assert.deepEqual(Object.entries(alert.outputFields), [["__proto__", "a"], ["constructor", "b"]]);
  assert.equal(Object.getPrototypeOf(alert.outputFields), Object.prototype);
  const unknown = fromBinary(responseSchema, Uint8Array.of(0x10, 9));
  assert.throws(() => alertOfResponse(unknown), {
    name: "AlertFormatError",
    message: "Cannot decode the alert: unknown priority 9",
  });
  assert.deepEqual(bytesOf(unknown), Uint8Array.of(0x10, 9));
  assert.deepEqual(bytesOf(fromBinary(firstSchema, Uint8Array.of(0x10, 9))), bytesOf(unknown));
});

test("connect() refuses a transport that there is not", () => {
  for (const transport of ["grpc-js", "", null]) {
    assert.throws(() => connect("/x.sock", { transport: transport as "own" }), {
      name: "TypeError",
      message: `Cannot connect as "transport" must be "own" or "stock": ` +
        `it is ${JSON.stringify(transport)}`,
    });
  }
});

const good = frameMessage(encodeAlert(buildAlert({ rule: "good" })));
const broken: readonly { name: string; frame: Uint8Array; message: RegExp }[] = [
  {
    name: "text that is not UTF-8",
    frame: frameMessage(Uint8Array.of(0x22, 1, 0xff)),
    message:
      /: a message is not what the contract says \(.+\)\. That alert is lost; transport "own" of/,
  },
  {
    name: "a message that is none",
    frame: frameMessage(Uint8Array.of(0x0b)),
    message:
      /: a message is not what the contract says \(.+\)\. That alert is lost; transport "own" of/,
  },
  {
    name: "a message that is too long",
    frame: frameMessage(new Uint8Array(2000)),
    message:
      /: the message has 2000 bytes, 1000 are allowed\. That alert is lost; raise maxMessageBytes of connect\(\) for others like it$/,
  },
  {
    name: "a compressed message",
    frame: Uint8Array.of(1, 0, 0, 0, 1, 0),
    message:
      /: the message is compressed\. Falco sends nothing of that kind: check the address, and what/,
  },
];

for (const { name, frame, message } of broken) {
  test(`Streams with connect-node fail on ${name}, and a subscription goes on`, async () => {
    const clock = new FakeClock(1000);
    let calls = 0;
    await withAnswer((stream) => {
      stream.respond(GRPC_HEADERS);
      stream.write(++calls < 3 ? frame : join(good, good));
    }, async (falco) => {
      const { items, error } = await outcome(falco.outputs.get());
      assert.deepEqual(items, []);
      assert(error instanceof FalcoRpcError);
      assert.equal(error.status, message.source.includes("contract") ? 13 : 8);
      assert(error.message.startsWith("Cannot read the answer of falco.outputs.service/get: "));
      assert.match(error.message, message);

      const reports: [AlertFormatError, Uint8Array][] = [];
      const alerts = falco.outputs.subscribe({
        onInvalid: (...report) => void reports.push(report),
      });
      const reader = alerts.getReader();
      assert.equal((await passAll(clock, reader.read())).value?.rule, "good");
      const { invalid, reconnects, gaps } = alerts.stats();
      assert.deepEqual([invalid, reconnects, gaps], [1, 1, 1]);
      assert.equal(reports.length, 1);
      assert(reports[0]![0] instanceof AlertFormatError);
      assert.match(reports[0]![0].message, message);
      assert.deepEqual(reports[0]![1], new Uint8Array());
    }, { transport: "stock", maxMessageBytes: 1000, clock });
  });
}
