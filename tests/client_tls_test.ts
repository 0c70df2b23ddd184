/** Mutual TLS: what does not fit together fails at once, and says what it is. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createSecureServer, createServer as createHttp2Server } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { Http2Server } from "node:http2";
import { createServer as createNetServer } from "node:net";
import type { Server, Socket } from "node:net";
import { test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import type { Certificates } from "../harness/certificates.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { connect } from "../lib/client/connect.ts";
import { systemClock } from "../lib/clock.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import type { FalcoConnectReason } from "../lib/errors.ts";
import { parseAddress } from "../lib/transport/address.ts";
import { certificateDates } from "../lib/transport/certificate_dates.ts";
import type { TlsCredentials } from "../lib/transport/credentials.ts";
import { SessionManager } from "../lib/transport/session_manager.ts";
import { certificates, credentials, join, rejection, withServer } from "./client_probes.ts";
import { withOwnPort } from "./own_port.ts";
import { outcome } from "./stream_probes.ts";

const others = await makeCertificates();

/** Each call must fail in the same way, a subscription at once if waiting cannot help. */
async function assertFails(
  address: string,
  tls: TlsCredentials,
  message: RegExp,
  expected: { passing?: boolean; reason?: FalcoConnectReason } = {},
): Promise<void> {
  const { passing = false, reason = "tls" } = expected;
  const falco = connect(address, { tls });
  try {
    const errors = [
      await rejection(falco.version()),
      (await outcome(falco.outputs.get())).error,
      (await outcome(falco.outputs.subscribe(passing ? { reconnect: false } : {}))).error,
    ];
    for (const error of errors) {
      assert(error instanceof FalcoConnectError, String(error));
      assert.equal(error.reason, reason, error.message);
      assert.equal(error.passing, passing, error.message);
      assert.equal(error.address, address);
      assert(error.message.startsWith(`Cannot connect to ${address}: `), error.message);
      assert.match(error.message, message);
      assert(!error.message.includes("\n"));
    }
  } finally {
    await falco.close();
  }
}

const cases: readonly { name: string; tls: TlsCredentials; message: RegExp }[] = [
  {
    name: "an authority that did not sign Falco's certificate",
    tls: { ...credentials, ca: others.ca },
    message: /Falco's certificate is not signed by the authority in "tls\.ca" \(.+\)\. Pass the/,
  },
  {
    name: "another serverName",
    tls: { ...credentials, serverName: "falco.example.test" },
    message:
      /Falco's certificate is not valid for the name "falco\.example\.test"\. .+"tls\.serverName"/,
  },
  {
    name: "a client certificate of another authority",
    tls: { ...credentials, ...others.client },
    message:
      /TLS failed \(.+\)\. Check that "tls\.cert" is signed by the authority in Falco's grpc/,
  },
];

for (const { name, tls, message } of cases) {
  test(`FalcoClient reports ${name}`, async () => {
    const fake = await FakeFalco.start({ tls: certificates });
    try {
      await assertFails(fake.address, tls, message);
      // Falco is none the worse for it.
      const falco = connect(fake.address, { tls: credentials });
      assert.equal((await falco.version()).minor, 43);
      await falco.close();
      assert.equal(fake.requests.length, 1);
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });
}

/** PEM in name only. */
const broken = "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n";
const unusable: readonly { name: string; tls: Partial<TlsCredentials>; message: RegExp }[] = [
  {
    name: "a file that is not there",
    tls: { cert: "/nowhere/client.crt" },
    message: /: the file "\/nowhere\/client\.crt" of the option "tls\.cert" cannot be read/,
  },
  {
    name: "an authority whose PEM is broken",
    tls: { ca: broken },
    message:
      /: the option "tls\.ca" is a broken PEM: its CERTIFICATE cannot be read \(.+\)\. Copy it/,
  },
  {
    // For this one Deno 2.9 ends the process, if it comes to TLS.
    name: "an authority with a broken one behind it",
    tls: { ca: certificates.ca + broken },
    message: /: the option "tls\.ca" is a broken PEM: CERTIFICATE 2 of 2 cannot be read \(.+\)\. /,
  },
  {
    name: "a certificate whose PEM is broken",
    tls: { cert: broken },
    message:
      /: the option "tls\.cert" is a broken PEM: its CERTIFICATE cannot be read \(.+\)\. Copy/,
  },
  {
    name: "a key whose PEM is broken",
    tls: { key: broken.replaceAll("CERTIFICATE", "PRIVATE KEY") },
    message:
      /: the option "tls\.key" is a broken PEM: its PRIVATE KEY cannot be read \(.+\)\. Copy it/,
  },
  {
    name: "a key in place of the certificate",
    tls: { cert: certificates.client.key },
    message:
      /: the option "tls\.cert" holds no certificate, but PRIVATE KEY\. Pass the certificate$/,
  },
  {
    name: "a key that does not belong to the certificate",
    tls: { key: others.client.key },
    message: new RegExp(
      ': the key in the option "tls\\.key" does not belong to the certificate in the option ' +
        '"tls\\.cert"\\. Pass the key that the certificate was made for$',
    ),
  },
];

for (const { name, tls, message } of unusable) {
  test(`FalcoClient refuses ${name} before it connects`, async () => {
    let connections = 0;
    const server = createNetServer((socket) => {
      connections++;
      socket.destroy();
    });
    await withServer(server, "tls", async (address) => {
      await assertFails(address, { ...credentials, ...tls }, message);
      assert.equal(connections, 0);
    });
  });
}

// Authorities live for ten years: this one has ended, too.
const expired = await makeCertificates({ days: 1, now: Date.now() - 4000 * 86_400_000 });
const future = await makeCertificates({ now: Date.now() + 7 * 86_400_000 });
// One that lives, and has signed what has ended, and what begins next week.
const living = await makeCertificates({
  keepAuthorityKey: true,
  now: Date.now() - 30 * 86_400_000,
});
const authority = { cert: living.ca, key: living.caKey! };
const ended = await makeCertificates({ authority, broken: ["expired", "expired-client"] });
const early = await makeCertificates({ authority, now: Date.now() + 7 * 86_400_000 });
const livingTls: TlsCredentials = { ca: living.ca, ...living.client };
const dated: readonly {
  name: string;
  /** What the server trusts and shows. */
  server: Certificates;
  tls: TlsCredentials;
  message: RegExp;
}[] = [
  {
    name: "an authority that has expired",
    server: { ...certificates, server: expired.server },
    tls: { ...credentials, ca: expired.ca },
    message: /: the certificate in "tls\.ca" has expired \(valid to 20.+Z\)\. Renew it$/,
  },
  {
    name: "a server's certificate that has expired with its authority",
    server: { ...certificates, server: expired.server },
    tls: { ...credentials, ca: certificates.ca + expired.ca },
    message: /: Falco's certificate has expired \(valid to 20.+Z\)\. Renew it in grpc\.cert_chain /,
  },
  {
    name: "a server's certificate that has expired under an authority that lives",
    server: { ...living, server: ended.server },
    tls: livingTls,
    message: new RegExp(
      ": Falco's certificate has expired \\(valid to 20.+Z\\)\\. Renew it in grpc\\.cert_chain and " +
        "restart Falco, which reads it only when it starts$",
    ),
  },
  {
    name: "a server's certificate that is not valid yet under an authority that lives",
    server: { ...living, server: early.server },
    tls: livingTls,
    message:
      /: Falco's certificate is not valid yet \(valid from 20.+Z\)\. Check the clocks of both machines$/,
  },
  {
    name: "a server's certificate that has expired under another authority",
    server: { ...certificates, server: ended.server },
    tls: credentials,
    // Both are true. OpenSSL looks at dates first; rustls and we ask who has signed it.
    message: /: Falco's certificate (?:is not signed by the authority in "tls\.ca"|has expired) \(/,
  },
  {
    name: "a client's certificate that has expired under an authority that lives",
    server: living,
    tls: { ...livingTls, ...ended.client },
    message: /: the certificate in "tls\.cert" has expired \(valid to 20.+Z\)\. Renew it$/,
  },
  {
    name: "a client's certificate that has expired",
    server: { ...certificates, ca: expired.ca },
    tls: { ...credentials, ...expired.client },
    message: /: the certificate in "tls\.cert" has expired \(valid to 20.+Z\)\. Renew it$/,
  },
  {
    name: "a client's certificate that is not valid yet",
    server: { ...certificates, ca: future.ca },
    tls: { ...credentials, ...future.client },
    message:
      /: the certificate in "tls\.cert" is not valid yet \(valid from 20.+Z\)\. Check the clock/,
  },
];

for (const { name, server, tls, message } of dated) {
  test(`FalcoClient reports ${name}`, async () => {
    const fake = await FakeFalco.start({ tls: server });
    try {
      await assertFails(fake.address, tls, message);
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });
}

test("certificateDates() looks at what there is", () => {
  const now = Date.now();
  const { ca } = certificates;
  const { cert, key } = certificates.client;
  assert.equal(certificateDates({}, now), undefined);
  assert.equal(certificateDates({ ca, cert, key }, now), undefined);
  assert.equal(certificateDates({ ca: `${expired.ca}${ca}`, cert }, now), undefined);
  assert.match(certificateDates({ ca, cert: expired.client.cert + cert }, now)!, /tls\.cert/);
  assert.match(certificateDates({ ca: future.ca + expired.ca, cert }, now)!, /tls\.ca.+ not valid/);
  const bad = "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n";
  assert.equal(certificateDates({ ca: "no PEM", cert: bad }, now), undefined);
});

test("FalcoClient reaches a Falco by the name in its certificate", async () => {
  const named = await makeCertificates({ names: ["falco.example.test"] });
  const fake = await FakeFalco.start({ tls: named });
  const tls = fake.credentials!;
  try {
    await assertFails(
      fake.address,
      tls,
      /Falco's certificate is not valid for the name "localhost"\. Make one that lists it as/,
    );
    const falco = connect(fake.address, { tls: { ...tls, serverName: "falco.example.test" } });
    assert.equal((await falco.version()).minor, 43);
    await falco.close();
  } finally {
    await fake[Symbol.asyncDispose]();
  }
});

test("FalcoClient reaches a Falco by an IP address in its certificate", async () => {
  const fake = await FakeFalco.start({ listen: "127.0.0.1:0", tls: certificates });
  const falco = connect(fake.address, { tls: credentials });
  try {
    assert.match(falco.address, /^https:\/\/127\.0\.0\.1:/);
    assert.equal((await falco.version()).minor, 43);
  } finally {
    await falco.close();
    await fake[Symbol.asyncDispose]();
  }
});

test("FalcoClient takes renewed certificates with the next connection", () =>
  withOwnPort(async (port) => {
    const folder = await makeTempFolder();
    const { path } = folder;
    await writeCertificates(path, certificates);
    const first = await FakeFalco.start({ tls: certificates, listen: `https://localhost:${port}` });
    const { address } = first;
    const falco = connect(address, {
      tls: {
        ca: `${path}/ca.crt`,
        cert: new URL(`file://${path}/client.crt`),
        key: `${path}/client.key`,
      },
    });
    try {
      await falco.version();
      await first.kill();
      await rejection(falco.version());
      const second = await FakeFalco.start({ listen: address, tls: others });
      try {
        assert.equal((await rejection(falco.version()) as FalcoConnectError).reason, "tls");
        await writeCertificates(path, others);
        assert.equal((await falco.version()).minor, 43);
      } finally {
        await falco.close();
        await second.kill();
      }
    } finally {
      await falco.close();
      await first[Symbol.asyncDispose]();
      await folder.remove();
    }
  }));

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`FalcoClient survives a server that refuses its certificate under ${maxVersion}`, async () => {
    // Under TLS 1.3 the refusal comes after the client believes to be connected. A wait for the
    // connection that only looks at states would spin for ever, and no timer would fire any more.
    const server = createSecureServer({
      ca: certificates.ca,
      ...certificates.server,
      requestCert: true,
      rejectUnauthorized: true,
      maxVersion,
    });
    await withServer(server, "tls", async (address) => {
      const tls = { ...credentials, ...others.client };
      const start = Date.now();
      for (let round = 0; round < 5; round++) {
        const falco = connect(address, { tls });
        const controller = new AbortController();
        let ticks = 0;
        const tick = (): void => {
          ticks++;
          if (!controller.signal.aborted) systemClock.setTimer(tick, 0);
        };
        tick();
        const error = await rejection(falco.version());
        assert(error instanceof FalcoConnectError);
        assert.equal(error.reason, "tls");
        controller.abort();
        await new Promise<void>((resolve) => void systemClock.setTimer(resolve, 0));
        assert(ticks > 1);
        await falco.close();
      }
      assert(Date.now() - start < 10_000);
    });
  });
}

test("SessionManager fails without certificates, too", async () => {
  const fake = await FakeFalco.start({ tls: certificates });
  const manager = new SessionManager(parseAddress(fake.address), { connectTimeoutMs: 5000 });
  try {
    const error = await rejection(manager.session());
    assert(error instanceof FalcoConnectError);
    assert.equal(error.reason, "tls");
  } finally {
    await manager.close();
    await fake[Symbol.asyncDispose]();
  }
});

const noTls = /the other side does not speak TLS \(.+\)\. Check that this is the port of grpc/;
const otherTls = /TLS failed \(.+\)\. Check .+that this is the port of grpc\.bind_address$/;
const noHttp2 =
  /: the other side speaks TLS, but not HTTP\/2 \(.+\)\. Check that this is the port of/;
const strangers: readonly {
  name: string;
  make(): Server | Http2Server;
  message: RegExp;
  passing?: boolean;
  reason?: FalcoConnectReason;
}[] = [
  {
    name: "plain HTTP/1",
    make: () => createHttpServer((_, response) => response.end("hi")),
    message: noTls,
  },
  { name: "plain HTTP/2", make: () => createHttp2Server(), message: noTls },
  {
    name: "garbage",
    make: () => createNetServer((socket) => void socket.write("?".repeat(99))),
    message: noTls,
  },
  {
    name: "HTTP/1 over TLS",
    make: () => createHttpsServer({ ...certificates.server }, (_, response) => response.end("hi")),
    message: noHttp2,
    reason: "protocol",
  },
  {
    name: "TLS without ALPN, and answers in HTTP/1",
    make: () => quietTls((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    message: noHttp2,
    reason: "protocol",
  },
  {
    name: "TLS without ALPN, and never answers",
    make: () => quietTls(() => {}),
    message: noHttp2,
    reason: "protocol",
  },
  {
    name: "nothing, and closes",
    make: () => createNetServer((socket) => socket.destroy()),
    message: otherTls,
    // As a proxy does whose Falco is not there yet.
    passing: true,
  },
];

function quietTls(answer: (socket: Socket) => void): Server {
  return createTlsServer({ ...certificates.server }, (socket) => {
    socket.on("error", () => {});
    answer(socket);
  });
}

for (const { name, make, message, ...expected } of strangers) {
  test(`FalcoClient reports a port that speaks ${name}`, async () => {
    await withServer(
      make(),
      "tls",
      (address) => assertFails(address, credentials, message, expected),
    );
  });
}

const PING = 6;
const PREFACE_BYTES = 24;

/** The types of the HTTP/2 frames that a client has sent. */
function frameTypes(bytes: Uint8Array): number[] {
  const types: number[] = [];
  for (let at = PREFACE_BYTES; at + 9 <= bytes.length;) {
    const [high = 0, middle = 0, low = 0, type = 0] = bytes.subarray(at);
    types.push(type);
    at += 9 + high * 65536 + middle * 256 + low;
  }
  return types;
}

test("FalcoClient is connected over TLS once a PING was answered, and sends no other", async () => {
  let seen: Uint8Array = new Uint8Array();
  let pinged = (): void => {};
  const ping = new Promise<void>((resolve) => pinged = resolve);
  const server = createTlsServer({
    ...certificates.server,
    ALPNProtocols: ["h2"],
  }, (socket) => {
    socket.on("error", () => {});
    socket.write(Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0)); // SETTINGS, and not a word more
    socket.on("data", (chunk: Uint8Array) => {
      seen = join(seen, chunk);
      if (frameTypes(seen).includes(PING)) pinged();
    });
  });
  await withServer(server, "tls", async (address) => {
    const clock = new FakeClock();
    const falco = connect(address, { tls: credentials, clock });
    try {
      const failed = rejection(falco.version());
      await ping;
      assert.equal(clock.pending, 1);
      clock.advance(10_000);
      assert.equal((await failed as FalcoConnectError).reason, "timeout");
      assert.equal(frameTypes(seen).filter((type) => type === PING).length, 1);
    } finally {
      await falco.close();
    }
  });
});

test("FalcoClient sends no PING at all on a unix socket", async () => {
  let seen: Uint8Array = new Uint8Array();
  const server = createNetServer((socket: Socket) => {
    socket.write(Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0));
    socket.on("data", (chunk: Uint8Array) => seen = join(seen, chunk));
  });
  await withServer(server, "unix", async (address) => {
    const falco = connect(address, { clock: new FakeClock() });
    try {
      const HEADERS = 1;
      const failed = rejection(falco.version());
      const [socket] = await once(server, "connection") as [Socket];
      while (!frameTypes(seen).includes(HEADERS)) await once(socket, "data");
      assert(!frameTypes(seen).includes(PING));
      await falco.close();
      await failed;
    } finally {
      await falco.close();
    }
  });
});
