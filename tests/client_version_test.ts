import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createNetServer } from "node:net";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { responseSchema } from "../gen/version_pb.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { connect } from "../lib/client/connect.ts";
import { FalcoClosedError, FalcoConnectError, FalcoRpcError } from "../lib/errors.ts";
import { frameMessage } from "../lib/transport/message_splitter.ts";
import {
  answerWith,
  GRPC_HEADERS,
  rejection,
  testOnWires,
  wires,
  withAnswer,
  withServer,
} from "./client_probes.ts";
import { withPlace } from "./own_port.ts";
import { until, within } from "./waits.ts";

testOnWires("FalcoClient.version() tells all of the version", async ({ falco }) => {
  const { engineFieldsChecksum, ...rest } = await falco.version();
  assert.deepEqual(rest, {
    version: "0.43.1",
    major: 0,
    minor: 43,
    patch: 1,
    prerelease: "",
    build: "",
    engineVersion: "0.58.0",
  });
  assert.match(engineFieldsChecksum, /^[0-9a-f]{64}$/);
});

// Field 7 is the engine's version up to 0.36, and the second of its three numbers since.
const eras = [
  { falcoVersion: "0.26.0", engineVersion: "", checksum: /^$/ },
  { falcoVersion: "0.30.0", engineVersion: "8", checksum: /^.{64}$/ },
  { falcoVersion: "0.36.2", engineVersion: "13", checksum: /^.{64}$/ },
  { falcoVersion: "0.37.0", engineVersion: "0.31.0", checksum: /^.{64}$/ },
  { falcoVersion: "0.43.1", engineVersion: "0.58.0", checksum: /^.{64}$/ },
];

for (const { falcoVersion, engineVersion, checksum } of eras) {
  test(`FalcoClient.version() understands Falco ${falcoVersion}`, async () => {
    const fake = await FakeFalco.start({ falcoVersion });
    const falco = connect(fake.address);
    try {
      const version = await falco.version();
      assert.equal(version.version, falcoVersion);
      assert.deepEqual(
        [version.major, version.minor, version.patch],
        falcoVersion.split(".").map(Number),
      );
      assert.equal(version.engineVersion, engineVersion);
      assert.match(version.engineFieldsChecksum, checksum);
    } finally {
      await falco.close();
      await fake[Symbol.asyncDispose]();
    }
  });
}

test("FalcoClient.version() tells prerelease and build", async () => {
  const message = create(responseSchema, {
    version: "0.38.0-rc1+7",
    prerelease: "rc1",
    build: "7",
  });
  await withAnswer(
    (stream) => answerWith(stream, frameMessage(toBinary(responseSchema, message))),
    async (falco) => {
      const { version, prerelease, build } = await falco.version();
      assert.deepEqual([version, prerelease, build], ["0.38.0-rc1+7", "rc1", "7"]);
    },
  );
});

testOnWires("FalcoClient.version() calls share one connection", async ({ fake, falco }) => {
  const versions = await Promise.all(Array.from({ length: 20 }, () => falco.version()));
  assert(versions.every(({ version }) => version === "0.43.1"));
  await falco.version();
  assert.equal(fake.connections, 1);
  assert.equal(fake.requests.length, 21);
});

for (const wire of wires) {
  test(`FalcoClient.version() opens a new connection after a loss, over ${wire.name}`, () =>
    withPlace(wire, async (place) => {
      const first = await FakeFalco.start({ tls: wire.tls, falcoVersion: "0.36.0", ...place });
      const { address, credentials: tls } = first;
      const falco = connect(address, { tls });
      try {
        assert.equal((await falco.version()).minor, 36);
        await first.kill();
        const error = await rejection(falco.version());
        assert(error instanceof FalcoConnectError);
        assert(["lost", "refused"].includes(error.reason), error.reason);
        const second = await FakeFalco.start({ listen: address, tls: wire.tls });
        try {
          assert.equal((await falco.version()).minor, 43);
          assert.equal(second.connections, 1);
        } finally {
          await falco.close();
          await second.kill();
        }
      } finally {
        await falco.close();
        await first[Symbol.asyncDispose]();
      }
    }));
}

test("FalcoClient.version() fails if it is cancelled before, and opens nothing", async () => {
  const fake = await FakeFalco.start();
  const falco = connect(fake.address);
  try {
    const reason = new Error("before");
    const error = await rejection(falco.version({ signal: AbortSignal.abort(reason) }));
    assert.equal(error, reason);
    assert.equal(fake.requests.length, 0);
    // A signal that fires later does no harm.
    const controller = new AbortController();
    await falco.version({ signal: controller.signal });
    controller.abort();
    await falco.version();
  } finally {
    await falco.close();
    await fake[Symbol.asyncDispose]();
  }
});

test("FalcoClient.version() can be cancelled while it connects", async () => {
  const server = createNetServer();
  await withServer(server, "unix", async (address) => {
    const falco = connect(address, { clock: new FakeClock() });
    const controller = new AbortController();
    const connection = once(server, "connection");
    const failed = rejection(falco.version({ signal: controller.signal }));
    await connection;
    const reason = new Error("enough");
    controller.abort(reason);
    assert.equal(await failed, reason);
    await falco.close();
  });
});

test("FalcoClient.version() can be cancelled while it waits, and the call ends", async () => {
  let asked = (): void => {};
  let ended = (): void => {};
  const started = new Promise<void>((resolve) => asked = resolve);
  const over = new Promise<void>((resolve) => ended = resolve);
  await withAnswer((stream) => {
    stream.on("close", ended);
    asked();
  }, async (falco) => {
    const controller = new AbortController();
    const failed = rejection(falco.version({ signal: controller.signal }));
    await started;
    controller.abort("any value");
    assert.equal(await failed, "any value");
    await within("the end of the call", over);
  });
});

test("FalcoClient.version() ends with close(), while it connects and while it waits", async () => {
  const silent = createNetServer();
  await withServer(silent, "unix", async (address) => {
    const clock = new FakeClock();
    const falco = connect(address, { clock });
    const connection = once(silent, "connection");
    const failed = rejection(falco.version());
    await connection;
    await falco.close();
    const error = await failed;
    assert(error instanceof FalcoClosedError);
    assert.match(error.message, /^Cannot call unix:.+: the client is closed\. Make a new one/);
    assert.equal(clock.pending, 0);
  });
  let asked = (): void => {};
  const started = new Promise<void>((resolve) => asked = resolve);
  await withAnswer(() => asked(), async (falco) => {
    const failed = rejection(falco.version());
    await started;
    await falco.close();
    assert(await failed instanceof FalcoClosedError);
  });
});

test("FalcoClient refuses calls after close()", async () => {
  const fake = await FakeFalco.start();
  const falco = connect(fake.address);
  try {
    await falco.version();
    const first = falco.close();
    // At once, not when all is closed.
    assert.throws(() => falco.outputs.get(), FalcoClosedError);
    assert.throws(() => falco.outputs.subscribe(), FalcoClosedError);
    await assert.rejects(falco.version(), FalcoClosedError);
    await Promise.all([first, falco.close(), falco[Symbol.asyncDispose]()]);
    await assert.rejects(falco.version(), FalcoClosedError);
    await until("the connection is closed", () => fake.connections === 0);
  } finally {
    await fake[Symbol.asyncDispose]();
  }
});

test("FalcoClient.close() of a client that was never used returns", async () => {
  await connect("unix:///nowhere").close();
});

const answers: readonly {
  name: string;
  answer: Parameters<typeof withAnswer>[0];
  error: { reason?: string; status?: number; message: RegExp };
}[] = [
  {
    name: "the status of the server",
    answer: (stream) =>
      stream.respond({ ...GRPC_HEADERS, "grpc-status": "7", "grpc-message": "not%20you" }, {
        endStream: true,
      }),
    error: {
      status: 7,
      message: /^Cannot call falco\.version\.service\/version: status 7 \(not you\)$/,
    },
  },
  {
    name: "status 14 as a status, for the connection is there",
    answer: (stream) =>
      stream.respond({ ...GRPC_HEADERS, "grpc-status": "14" }, { endStream: true }),
    error: { status: 14, message: /: status 14$/ },
  },
  {
    name: "what a server that is no Falco lacks",
    answer: (stream) =>
      stream.respond({ ...GRPC_HEADERS, "grpc-status": "12" }, { endStream: true }),
    error: { status: 12, message: /: status 12\. The server does not offer that method/ },
  },
  {
    name: "HTTP status 404 as protocol",
    answer(stream) {
      stream.respond({ ":status": 404, "content-type": "text/plain" });
      stream.end("nothing here");
    },
    error: {
      reason: "protocol",
      message:
        /does not answer as a gRPC server does \(HTTP status 404, content type "text\/plain"\)/,
    },
  },
  {
    name: "a web page as protocol",
    answer(stream) {
      stream.respond({ ":status": 200, "content-type": "text/html" });
      stream.end("<p>");
    },
    error: { reason: "protocol", message: /HTTP status 200, content type "text\/html"/ },
  },
  {
    name: "an answer without a status as lost",
    answer(stream) {
      stream.respond(GRPC_HEADERS);
      stream.end(frameMessage(new Uint8Array()));
    },
    error: { reason: "lost", message: /^Lost the connection to / },
  },
  {
    name: "a reset before the answer as lost",
    answer: (stream) => stream.close(7),
    error: { reason: "lost", message: /^Lost the connection to / },
  },
  {
    name: "a cancelled call as lost",
    answer: (stream) => stream.close(8),
    error: { reason: "lost", message: /^Lost the connection to / },
  },
  {
    name: "a connection that goes before the answer as lost",
    answer: (stream) => stream.session?.destroy(),
    error: { reason: "lost", message: /^Lost the connection to / },
  },
  {
    name: "a connection that goes within the answer as lost",
    answer(stream) {
      stream.respond(GRPC_HEADERS);
      stream.write(frameMessage(new Uint8Array(1)).subarray(0, 5), () => stream.session?.destroy());
    },
    error: { reason: "lost", message: /^Lost the connection to / },
  },
  {
    name: "an answer above maxMessageBytes",
    answer: (stream) => answerWith(stream, frameMessage(new Uint8Array(1001))),
    error: { status: 8, message: /1001.*1000/ },
  },
  {
    name: "a status without an answer",
    answer: (stream) =>
      stream.respond({ ...GRPC_HEADERS, "grpc-status": "0" }, { endStream: true }),
    error: { status: 13, message: /: there is none\. Falco sends nothing of that kind/ },
  },
  {
    name: "a second answer",
    answer: (stream) => answerWith(stream, new Uint8Array(15)),
    error: { status: 13, message: /: it has more than one message\. Falco sends nothing/ },
  },
  {
    name: "half an answer",
    answer: (stream) => answerWith(stream, frameMessage(new Uint8Array(9)).subarray(0, 7)),
    error: { status: 13, message: /: it ends within a message\. Falco sends nothing/ },
  },
  {
    name: "an answer that is no protobuf",
    answer: (stream) => answerWith(stream, frameMessage(Uint8Array.of(0xff))),
    error: {
      status: 13,
      message:
        /: a message is not what the contract says \(.+\)\. Falco sends nothing of that kind: check the address, and what stands between$/,
    },
  },
];

for (const kind of ["unix", "tls"] as const) {
  for (const { name, answer, error: expected } of answers) {
    test(`FalcoClient.version() reports ${name} (${kind})`, async () => {
      await withAnswer(answer, async (falco) => {
        const error = await rejection(falco.version());
        const { reason, status, message } = expected;
        assert(error instanceof (reason === undefined ? FalcoRpcError : FalcoConnectError));
        assert.match(error.message, message);
        if (error instanceof FalcoRpcError) {
          assert.equal(error.status, status);
          assert.equal(error.method, "falco.version.service/version");
        } else {
          assert.equal(error.reason, reason);
          assert.equal(error.address, falco.address);
        }
      }, { kind, maxMessageBytes: 1000 });
    });
  }
}

test("FalcoClient.version() does not wait for ever for a Falco that says nothing", async () => {
  const server = createHttp2Server();
  let asked = 0;
  server.on("stream", () => asked++);
  await withServer(server, "unix", async (address) => {
    const clock = new FakeClock();
    const falco = connect(address, { clock, connectTimeoutMs: 1e9 });
    try {
      let settled = false;
      const failing = rejection(falco.version({ timeoutMs: 3000 })).finally(() => settled = true);
      await until("it is asked", () => asked === 1 && clock.pending === 1);
      clock.advance(2999);
      await new Promise((resolve) => setImmediate(resolve));
      assert(!settled);
      clock.advance(1);
      const error = await failing;
      assert(error instanceof FalcoConnectError);
      assert.deepEqual([error.reason, error.passing], ["timeout", true]);
      assert.match(error.message, /: no answer within 3000 ms\. Falco lets calls wait while all/);
      assert.equal(clock.pending, 0);
      // What the caller asks for comes first.
      const reason = new Error("enough");
      assert.equal(await rejection(falco.version({ signal: AbortSignal.abort(reason) })), reason);
      await assert.rejects(falco.version({ timeoutMs: 0 }), RangeError);
    } finally {
      await falco.close();
    }
  });
});
