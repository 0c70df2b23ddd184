/**
 * Addresses and options that do not lead to a Falco; for those of TLS see client_tls_test.ts,
 * client_certificates_test.ts and client_tls_port_test.ts.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer as createNetServer } from "node:net";
import type { Socket } from "node:net";
import { test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { connect } from "../lib/client/connect.ts";
import type { ConnectOptions } from "../lib/client/connect.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import type { FalcoConnectReason } from "../lib/errors.ts";
import { parseAddress } from "../lib/transport/address.ts";
import { notASocket } from "../lib/transport/not_a_socket.ts";
import { SessionManager } from "../lib/transport/session_manager.ts";
import {
  certificates,
  credentials,
  mayOpenAll,
  rejection,
  withServer,
  withSocketPath,
} from "./client_probes.ts";
import { outcome } from "./stream_probes.ts";
import { until } from "./waits.ts";

/** Each call must fail in the same way, and a subscription must tell of it in `closed` too. */
async function assertFails(
  address: string,
  reason: FalcoConnectReason,
  message: RegExp,
  options: ConnectOptions = {},
): Promise<void> {
  const falco = connect(address, options);
  try {
    const alerts = falco.outputs.subscribe({ reconnect: false });
    const errors = [
      await rejection(falco.version()),
      (await outcome(falco.outputs.get())).error,
      (await outcome(alerts)).error,
    ];
    errors.push(await alerts.closed);
    for (const error of errors) {
      assert(error instanceof FalcoConnectError, String(error));
      assert.equal(error.reason, reason, error.message);
      assert.equal(error.address, falco.address);
      assert(error.message.startsWith(`Cannot connect to ${falco.address}: `), error.message);
      assert.match(error.message, message);
      assert(!error.message.includes("\n"));
    }
    // It is over, and does not stand in the way of the next one.
    await falco.outputs.subscribe({ reconnect: false }).cancel();
  } finally {
    await falco.close();
  }
}

test("connect() names its address in full", async () => {
  const cases = [
    [undefined, undefined, "unix:///run/falco/falco.sock"],
    ["/tmp/falco.sock", undefined, "unix:///tmp/falco.sock"],
    ["localhost", credentials, "https://localhost:5060"],
  ] as const;
  for (const [address, tls, full] of cases) {
    const falco = connect(address, { tls });
    assert.equal(falco.address, full);
    await falco.close();
  }
});

test("connect() refuses what can never work", () => {
  assert.throws(() => connect("http://localhost:5060"), TypeError);
  assert.throws(() => connect("https://localhost:5060"), {
    name: "TypeError",
    message: "Cannot connect to https://localhost:5060: over TCP Falco wants a client " +
      "certificate. Pass { tls: { ca, cert, key } }",
  });
  assert.throws(() => connect("/run/falco.sock", { tls: credentials }), {
    name: "TypeError",
    message: "Cannot connect to unix:///run/falco.sock: there is no TLS on a unix socket. " +
      'Leave out "tls"',
  });
  for (const option of ["connectTimeoutMs", "maxMessageBytes"] as const) {
    for (const value of [0, -1, NaN]) {
      assert.throws(() => connect("/run/falco.sock", { [option]: value }), {
        name: "RangeError",
        message: `Cannot connect as "${option}" must be above 0: it is ${value}`,
      });
    }
  }
});

test("FalcoClient reports a socket that is not there", async () => {
  await withSocketPath(async (path) => {
    await assertFails(
      path,
      "not-found",
      /no such file\. Check that Falco runs .+ \/var\/run\/falco\.sock$/,
    );
    await assertFails(`${path}/under/it`, "not-found", /no such file/);
  });
});

test("FalcoClient reports a host that no network leads to", async () => {
  // TCP never connects to a group: the system says so without sending anything.
  const falco = connect("https://224.0.0.1:5060", { tls: credentials });
  try {
    const error = await rejection(falco.version());
    assert(error instanceof FalcoConnectError);
    assert.equal(error.passing, true);
    // Bun reports that nobody listens.
    const [reason, message] = "Bun" in globalThis ? ["refused", /: nobody listens/] : [
      "not-found",
      /: there is no way to this host \(connect E.+\)\. Check the address and the net/,
    ];
    assert.equal(error.reason, reason);
    assert.match(error.message, message as RegExp);
  } finally {
    await falco.close();
  }
});

test("FalcoClient reports a socket that a killed Falco left behind", async () => {
  const fake = await FakeFalco.start();
  await fake.kill();
  try {
    await assertFails(fake.address, "refused", /Falco was killed and left the file behind/);
  } finally {
    await fake[Symbol.asyncDispose]();
  }
});

const noSockets: readonly {
  name: string;
  make(path: string): Promise<string>;
  message: RegExp;
}[] = [
  {
    name: "a file that is no socket",
    make: (path) => writeFile(path, "hello").then(() => path),
    message:
      /: it is an ordinary file, not a socket\. Give the path in Falco's grpc\.bind_address$/,
  },
  {
    name: "a folder",
    make: (path) => mkdir(path).then(() => path),
    message: /: it is a folder, not a socket\. Give the path of the socket; Docker makes a folder/,
  },
  {
    name: "a path below a file",
    make: (path) => writeFile(path, "hello").then(() => `${path}/falco.sock`),
    message: /: a part of the path is a file, not a folder\. Give the path in Falco's grpc/,
  },
  {
    name: "a path that is too long",
    make: (path) => Promise.resolve(path + "ü".repeat(50)),
    message: /: the path has 1\d\d bytes, and that of a socket may have 107 .+\. Use a shorter one/,
  },
];

for (const { name, make, message } of noSockets) {
  test(`FalcoClient reports ${name}, and a subscription fails at once`, async () => {
    await withSocketPath(async (path) => {
      const address = await make(path);
      await assertFails(address, "not-found", message);
      const falco = connect(address);
      const { error } = await outcome(falco.outputs.subscribe());
      assert(error instanceof FalcoConnectError);
      assert.equal(error.passing, false);
      await falco.close();
    });
  });
}

test("notASocket() leaves everything else alone", async () => {
  const refused = Object.assign(new Error(), { code: "ECONNREFUSED" });
  await withSocketPath(async (path) => {
    const address = parseAddress(path);
    assert.equal(await notASocket(address, refused), undefined); // it has just gone
    await writeFile(path, "");
    assert.equal(await notASocket(address, undefined), undefined);
    assert.equal(await notASocket(address, { code: "EACCES" }), undefined);
    assert.equal(await notASocket(parseAddress("localhost"), refused), undefined);
    assert.equal((await notASocket(address, refused))!.cause, refused);
  });
});

test("FalcoClient reports a socket that belongs to somebody else", {
  skip: await mayOpenAll() ? "this user, probably root, may open every socket" : false,
}, async () => {
  const fake = await FakeFalco.start();
  try {
    await chmod(fake.address.slice("unix://".length), 0o000);
    await assertFails(
      fake.address,
      "permission",
      /permission denied\. Falco creates the socket for its own user; run as that user/,
    );
  } finally {
    await fake[Symbol.asyncDispose]();
  }
});

test("FalcoClient reports a port where nobody listens", async () => {
  const server = createNetServer();
  let address = "";
  await withServer(server, "tls", (free) => {
    address = free;
    return Promise.resolve();
  });
  for (const host of ["localhost", "127.0.0.1"]) {
    await assertFails(
      address.replace("localhost", host),
      "refused",
      /nobody listens on this port\. Check that Falco runs with grpc\.enabled/,
      { tls: credentials },
    );
  }
});

const strangers = [
  { name: "HTTP/1", make: () => createHttpServer((_, response) => response.end("hi")) },
  { name: "TLS", make: () => createTlsServer({ ...certificates.server }) },
  { name: "nothing, and closes", make: () => createNetServer((socket) => socket.destroy()) },
  { name: "nothing, and ends", make: () => createNetServer((socket) => void socket.end()) },
  { name: "garbage", make: () => createNetServer((socket) => void socket.write("?".repeat(99))) },
];

for (const { name, make } of strangers) {
  test(`FalcoClient reports a unix socket that speaks ${name}`, async () => {
    await withServer(make(), "unix", async (address) => {
      await assertFails(
        address,
        "protocol",
        /does not answer as a gRPC server does \(.+\)\. Over a unix socket Falco speaks plain HTTP\/2$/,
      );
    });
  });
}

for (const kind of ["unix", "tls"] as const) {
  test(`FalcoClient gives up after connectTimeoutMs (${kind})`, async () => {
    const sockets: Socket[] = [];
    const server = createNetServer((socket) => void sockets.push(socket));
    let closed = 0;
    server.on("connection", (socket: Socket) => {
      socket.on("close", () => closed++);
      socket.resume();
    });
    await withServer(server, kind, async (address) => {
      const clock = new FakeClock();
      const tls = kind === "unix" ? undefined : credentials;
      const falco = connect(address, { clock, tls, connectTimeoutMs: 5000 });
      try {
        const connection = once(server, "connection");
        const calls = [falco.version(), falco.version(), falco.outputs.get().getReader().read()];
        const failed = Promise.all(calls.map(rejection));
        await connection;
        // One attempt for all, so that nobody waits longer than that.
        assert.equal(clock.pending, 1);
        clock.advance(4999);
        assert.equal(clock.pending, 1);
        clock.advance(1);
        const errors = await failed;
        for (const error of errors) {
          assert(error instanceof FalcoConnectError);
          assert.equal(error.reason, "timeout");
          assert.match(error.message, /no answer in time\. Check the address, firewalls/);
        }
        assert.equal(clock.pending, 0);
        await until("the socket is closed", () => closed === 1);
        assert.equal(sockets.length, 1);
      } finally {
        await falco.close();
      }
    });
  });
}

test("FalcoClient waits 10 seconds by default", async () => {
  const server = createNetServer();
  await withServer(server, "unix", async (address) => {
    const clock = new FakeClock();
    const falco = connect(address, { clock });
    const connection = once(server, "connection");
    const failed = rejection(falco.version());
    await connection;
    clock.advance(9999);
    assert.equal(clock.pending, 1);
    clock.advance(1);
    assert(await failed instanceof FalcoConnectError);
    await falco.close();
  });
});

test("FalcoClient tries again with the next call", async () => {
  await withSocketPath(async (path) => {
    const falco = connect(path);
    try {
      const failed = await Promise.all([rejection(falco.version()), rejection(falco.version())]);
      for (const error of failed) assert.equal((error as FalcoConnectError).reason, "not-found");
      const fake = await FakeFalco.start({ listen: `unix://${path}` });
      try {
        assert.equal((await falco.version()).minor, 43);
      } finally {
        await falco.close();
        await fake.kill();
      }
    } finally {
      await falco.close();
    }
  });
});

test("SessionManager lets an idle connection go, and no other", async () => {
  const fake = await FakeFalco.start();
  const manager = new SessionManager(parseAddress(fake.address), { connectTimeoutMs: 5000 });
  try {
    const session = await manager.session();
    const log: string[] = [];
    session.ref = () => void log.push("ref");
    session.unref = () => void log.push("unref");
    const request = () => manager.request({ ":method": "POST", ":path": "/x", te: "trailers" });
    const first = await request();
    const second = await request();
    assert(!log.includes("unref"));
    second.close();
    await once(second, "close");
    // The first is still there: the process must not end under it.
    assert(!log.includes("unref"));
    assert.equal(log.at(-1), "ref");
    first.close();
    await once(first, "close");
    assert.equal(log.at(-1), "unref");
    (await request()).close();
    assert.equal(log.at(-1), "ref");
    assert.equal(await manager.session(), session);
  } finally {
    await manager.close();
    await fake[Symbol.asyncDispose]();
  }
});
