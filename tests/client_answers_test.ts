/** What streams make of answers that are not quite what Falco sends: framing, statuses, HTTP. */
import assert from "node:assert/strict";
import type { ServerHttp2Stream } from "node:http2";
import { encodeAlert } from "../lib/alert/wire.ts";
import { FalcoConnectError, FalcoRpcError } from "../lib/errors.ts";
import { frameMessage } from "../lib/transport/message_splitter.ts";
import { answerWith, GRPC_HEADERS, join, numbered, testWays, withAnswer } from "./client_probes.ts";
import { outcome } from "./stream_probes.ts";

/** gRPC's header with other flags or another length, and some bytes. */
function frame(flags: number, length: number, bytes: number): Uint8Array {
  const framed = new Uint8Array(5 + bytes);
  framed[0] = flags;
  new DataView(framed.buffer).setUint32(1, length);
  return framed;
}

const good = frameMessage(encodeAlert(numbered(0)));

function respond(
  stream: ServerHttp2Stream,
  headers: Record<string, string | number>,
  body = "",
): void {
  stream.respond(headers);
  stream.end(body);
}

const answers: readonly {
  name: string;
  answer(stream: ServerHttp2Stream): void;
  /** How many alerts come before the end. */
  alerts: number;
  error?: { status?: number; reason?: string; message: RegExp };
}[] = [
  {
    name: "end with status OK",
    answer: (stream) => answerWith(stream, join(good, good)),
    alerts: 2,
  },
  {
    name: "fail on a compressed message, though the status is OK",
    answer: (stream) => answerWith(stream, join(good, frame(1, 3, 3))),
    alerts: 1,
    error: {
      status: 8,
      message:
        /the message is compressed\. Falco sends nothing of that kind: check the address, and what/,
    },
  },
  {
    name: "fail on a compressed message in a call that stays open",
    answer(stream) {
      stream.respond(GRPC_HEADERS);
      stream.write(join(good, frame(1, 3, 3)));
    },
    alerts: 1,
    error: {
      status: 8,
      message:
        /the message is compressed\. Falco sends nothing of that kind: check the address, and what/,
    },
  },
  {
    name: "fail on bytes that are no messages",
    answer: (stream) => answerWith(stream, join(good, frame(0x47, 3, 3))),
    alerts: 1,
    error: {
      status: 8,
      message:
        /the bytes are not gRPC messages\. Falco sends nothing of that kind: check the address, and what/,
    },
  },
  {
    name: "fail on an end within a message",
    answer: (stream) => answerWith(stream, join(good, frame(0, 10, 3))),
    alerts: 1,
    error: {
      status: 13,
      message:
        /it ends within a message\. Falco sends nothing of that kind: check the address, and what/,
    },
  },
  {
    name: "fail on an end within a header",
    answer: (stream) => answerWith(stream, join(good, Uint8Array.of(0, 0))),
    alerts: 1,
    error: {
      status: 13,
      message:
        /it ends within a message\. Falco sends nothing of that kind: check the address, and what/,
    },
  },
  {
    name: "fail on an end within a message without a status",
    answer(stream) {
      stream.respond(GRPC_HEADERS);
      stream.end(join(good, frame(0, 10, 3)));
    },
    alerts: 1,
    error: { reason: "lost", message: /^Lost the connection to / },
  },
  {
    name: "fail on an end without a status",
    answer(stream) {
      stream.respond(GRPC_HEADERS);
      stream.end(good);
    },
    alerts: 1,
    error: { reason: "lost", message: /^Lost the connection to / },
  },
  {
    name: "fail with a status and its decoded words, after the alerts",
    answer: (stream) =>
      answerWith(stream, good, {
        "grpc-status": "7",
        "grpc-message": "not%20for%20you: %E2%82%AC",
      }),
    alerts: 1,
    error: {
      status: 7,
      message: /^Cannot call falco\.outputs\.service\/\w+: status 7 \(not for you: €\)$/,
    },
  },
  {
    name: "fail with a status and words that are not encoded",
    answer: (stream) =>
      answerWith(stream, good, { "grpc-status": "8", "grpc-message": "100% full" }),
    alerts: 1,
    error: { status: 8, message: /: status 8 \(100% full\)$/ },
  },
  {
    name: "fail with a status without words or alerts",
    answer: (stream) =>
      stream.respond({ ...GRPC_HEADERS, "grpc-status": "12" }, { endStream: true }),
    alerts: 0,
    error: {
      status: 12,
      message: /neither falco\.outputs\.service \(.+\) nor falco\.output\.service \(.+\)\. Check/,
    },
  },
  {
    name: "take trailers without a status for UNKNOWN",
    answer: (stream) => answerWith(stream, good, { "x-other": "1" }),
    alerts: 1,
    error: { status: 2, message: /: status 2$/ },
  },
  {
    name: "take a status that is no number for UNKNOWN",
    answer: (stream) => answerWith(stream, good, { "grpc-status": "0x0" }),
    alerts: 1,
    error: { status: 2, message: /: status 2$/ },
  },
  {
    name: "fail on HTTP status 404",
    answer: (stream) => respond(stream, { ":status": 404, "content-type": "text/plain" }, "none"),
    alerts: 0,
    error: { reason: "protocol", message: /\(HTTP status 404, content type "text\/plain"\)/ },
  },
  {
    name: "fail on HTTP status 503 of a gRPC server",
    answer: (stream) => respond(stream, { ...GRPC_HEADERS, ":status": 503 }),
    alerts: 0,
    error: { reason: "protocol", message: /\(HTTP status 503, content type "application\/grpc"\)/ },
  },
  {
    name: "fail on an answer without a content type",
    answer: (stream) => respond(stream, { ":status": 200 }),
    alerts: 0,
    error: { reason: "protocol", message: /\(HTTP status 200, content type ""\)/ },
  },
  {
    name: "fail on a web page, even with status OK",
    answer(stream) {
      stream.respond({ ...GRPC_HEADERS, "content-type": "text/html" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end("<p>");
    },
    alerts: 0,
    error: { reason: "protocol", message: /\(HTTP status 200, content type "text\/html"\)/ },
  },
];

for (const { name, answer, alerts, error: expected } of answers) {
  testWays(`Streams ${name}`, async ({ kind, transport }) => {
    await withAnswer(answer, async (falco) => {
      for (const method of ["get", "sub"] as const) {
        const stream = method === "get"
          ? falco.outputs.get()
          : falco.outputs.subscribe({ reconnect: false });
        const { items, error } = await outcome(stream);
        assert.equal(items.length, alerts, method);
        if (expected === undefined) {
          assert.equal(error, undefined);
          continue;
        }
        const { status, reason, message } = expected;
        assert(error instanceof (status === undefined ? FalcoConnectError : FalcoRpcError));
        assert.match(error.message, message);
        if (error instanceof FalcoRpcError) {
          assert.equal(error.status, status);
          assert.equal(error.method, `falco.outputs.service/${method}`);
        } else {
          assert.equal(error.reason, reason);
          assert.equal(error.address, falco.address);
        }
      }
    }, { kind, transport });
  });
}
