import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import type { ClientHttp2Session, SecureClientSessionOptions } from "node:http2";
import { connect as connectTcp } from "node:net";
import { after, before, describe, it } from "node:test";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { makeCertificates } from "../harness/certificates.ts";
import type { Certificates } from "../harness/certificates.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { FalcoError } from "../lib/errors.ts";
import { alerts, BareCall, BareClient, rules, VERSION } from "./fake_falco_clients.ts";
import { within } from "./waits.ts";

/** Connects, calls `version`, and says how it went: a status, or `refused` if there is no answer. */
async function callVersion(
  address: string,
  options: SecureClientSessionOptions = {},
): Promise<number | "refused"> {
  const session = connectHttp2(address, options);
  try {
    return await within("an answer", answerOf(session));
  } finally {
    session.destroy();
  }
}

async function answerOf(session: ClientHttp2Session): Promise<number | "refused"> {
  const gone = new Promise<"refused">((resolve) => {
    session.on("error", () => resolve("refused"));
    session.on("close", () => resolve("refused"));
  });
  const call = new BareCall(session.request({
    ":method": "POST",
    ":path": `/${VERSION}`,
    "content-type": "application/grpc",
    te: "trailers",
  }, { endStream: false }));
  call.request();
  call.halfClose();
  return await Promise.race([gone, call.end().then(() => call.status ?? "refused" as const)]);
}

/** Connects with TLS alone: how many bytes come before the server closes. */
async function bytesUntilClosed(address: string, options: ConnectionOptions): Promise<number> {
  const { port } = new URL(address);
  const socket = connectTls({ host: "localhost", port: Number(port), ...options });
  let bytes = 0;
  socket.on("data", (chunk: Uint8Array) => bytes += chunk.length);
  socket.on("error", () => {});
  try {
    await within("the close", once(socket, "close").catch(() => {}));
  } finally {
    socket.destroy();
  }
  return bytes;
}

/** The type of a TLS record in which a server goes on with the handshake. */
const HANDSHAKE = 22;

/** What a client says first, which no client of today says any more: TLS 1.1 for 2, TLS 1.2 for 3. */
function clientHello(minor: number): Uint8Array {
  const extensions = [
    [0, 10, 0, 6, 0, 4, 0, 29, 0, 23], // groups: x25519, P-256
    [0, 11, 0, 2, 1, 0], // points are not compressed
    [0, 13, 0, 6, 0, 4, 4, 3, 2, 3], // signatures: ECDSA with SHA-256, with SHA-1
    [0, 23, 0, 0], // extended master secret
  ].flat();
  const suites = [0xc0, 0x2b, 0xc0, 0x09]; // ECDHE-ECDSA with AES-128: GCM, and CBC for TLS 1.1
  const body = [
    ...[3, minor],
    ...new Array(32).fill(7),
    ...[0, 0, suites.length, ...suites],
    ...[1, 0, 0, extensions.length, ...extensions],
  ];
  const message = [1, 0, 0, body.length, ...body];
  return new Uint8Array([22, 3, 1, 0, message.length, ...message]);
}

/** The first byte that a server answers with; undefined if it closes without a word. */
async function firstByte(address: string, bytes: Uint8Array): Promise<number | undefined> {
  const socket = connectTcp(Number(new URL(address).port), "localhost");
  socket.on("error", () => {});
  const first = new Promise<number | undefined>((resolve) => {
    socket.once("data", (chunk: Uint8Array) => resolve(chunk[0]));
    socket.once("close", () => resolve(undefined));
  });
  try {
    socket.write(bytes);
    return await within("an answer", first);
  } finally {
    socket.destroy();
  }
}

describe("FakeFalco over TLS", () => {
  let fake: FakeFalco;
  let ours: { ca: string; cert: string; key: string };
  let others: Certificates;
  before(async () => {
    fake = await FakeFalco.start({ tls: true });
    const { ca, client } = fake.certificates!;
    ours = { ca, ...client };
    others = await makeCertificates();
  });
  after(() => fake[Symbol.asyncDispose]());

  it("listens on a free port of localhost and hands out what a client needs", async () => {
    assert.match(fake.address, /^https:\/\/localhost:\d+$/);
    const { ca, client } = fake.certificates!;
    assert.deepEqual(fake.credentials, { ca, cert: client.cert, key: client.key });
    assert.equal(await callVersion(fake.address, ours), 0);
  });

  it("is reached by its addresses, too", async () => {
    const address = fake.address.replace("localhost", "127.0.0.1");
    assert.equal(await callVersion(address, ours), 0);
  });

  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    it(`speaks ${version}`, async () => {
      const session = connectHttp2(fake.address, {
        ...ours,
        minVersion: version,
        maxVersion: version,
      });
      try {
        assert.equal(await within("an answer", answerOf(session)), 0);
        assert.equal((session.socket as TLSSocket).getProtocol(), version);
      } finally {
        session.destroy();
      }
    });

    it(`refuses a client without a certificate over ${version}`, async () => {
      const { ca } = ours;
      const options = { ca, minVersion: version, maxVersion: version };
      assert.equal(await callVersion(fake.address, options), "refused");
      assert.equal(fake.connections, 0);
    });

    it(`refuses a client with another authority's certificate over ${version}`, async () => {
      const options = { ca: ours.ca, ...others.client, minVersion: version, maxVersion: version };
      assert.equal(await callVersion(fake.address, options), "refused");
    });
  }

  it("refuses a client whose certificate has expired", async () => {
    const certificates = await makeCertificates({ broken: ["expired-client"] });
    const other = await FakeFalco.start({ tls: certificates });
    try {
      const { ca, client } = certificates;
      assert.equal(await callVersion(other.address, { ca, ...client }), "refused");
      assert.equal(other.requests.length, 0);
    } finally {
      await other[Symbol.asyncDispose]();
    }
  });

  it("has no TLS 1.1 for a client that knows nothing newer", async () => {
    assert.equal(await firstByte(fake.address, clientHello(3)), HANDSHAKE, "TLS 1.2");
    assert.notEqual(await firstByte(fake.address, clientHello(2)), HANDSHAKE, "TLS 1.1");
  });

  it("is refused by a client that trusts another authority", async () => {
    const options = { ...ours, ca: others.ca };
    assert.equal(await callVersion(fake.address, options), "refused");
  });

  it("refuses a client that speaks HTTP/2 in plain text", async () => {
    const address = fake.address.replace("https:", "http:");
    assert.equal(await callVersion(address), "refused");
  });

  it("closes on a client that speaks something else altogether", async () => {
    const socket = connectTcp(Number(new URL(fake.address).port), "localhost");
    socket.on("error", () => {});
    socket.resume();
    try {
      socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
      await within("the close", once(socket, "close").catch(() => {}));
    } finally {
      socket.destroy();
    }
  });

  for (const ALPNProtocols of [undefined, ["http/1.1"]]) {
    const asked = ALPNProtocols?.join() ?? "nothing";
    it(`closes on a client that asks for ${asked} instead of h2, without a word`, async () => {
      const options = { ...ours, ...(ALPNProtocols === undefined ? {} : { ALPNProtocols }) };
      assert.equal(await bytesUntilClosed(fake.address, options), 0);
    });
  }

  it("has seen no call of those it refused", () => {
    assert.ok(fake.requests.every(({ method, requests }) => method === VERSION && requests === 1));
    assert.equal(fake.requests.length, 4); // localhost, 127.0.0.1, and two versions of TLS
  });

  it("serves on after all those refusals", async () => {
    const client = new BareClient(fake);
    try {
      fake.push(...alerts(1, 2));
      assert.deepEqual(await client.get(), rules(1, 2));
    } finally {
      await client.close();
    }
  });
});

describe("FakeFalco.start() with TLS", () => {
  it("takes certificates that are there, and makes others each time if there are none", async () => {
    const certificates = await makeCertificates();
    const fakes = [
      await FakeFalco.start({ tls: certificates }),
      await FakeFalco.start({ tls: true }),
      await FakeFalco.start({ listen: "localhost:0" }),
    ];
    try {
      assert.equal(fakes[0]!.certificates, certificates);
      assert.equal(new Set(fakes.map((fake) => fake.certificates!.ca)).size, 3);
      for (const fake of fakes) {
        const { ca, client } = fake.certificates!;
        assert.equal(await callVersion(fake.address, { ca, ...client }), 0);
      }
    } finally {
      for (const fake of fakes) await fake.stop();
    }
  });

  it("listens at an address of this host, with a certificate for it", async () => {
    for (const host of ["127.0.0.1", "[::1]"]) {
      let fake: FakeFalco;
      try {
        fake = await FakeFalco.start({ listen: `${host}:0` });
      } catch (error) {
        // Not every machine has IPv6.
        assert.equal((error as Error).message.includes("no such address"), host === "[::1]");
        continue;
      }
      try {
        assert.ok(fake.address.startsWith(`https://${host}:`), fake.address);
        const client = new BareClient(fake);
        fake.push(...alerts(1));
        assert.deepEqual(await client.get(), rules(1));
        await client.close();
        await within("the reload", fake.reload());
        await client.close();
      } finally {
        await fake.stop();
      }
    }
  });

  it("refuses a server's key that is another's or none, before it listens", async () => {
    const [mine, other] = await Promise.all([makeCertificates(), makeCertificates()]);
    const bad: readonly [server: Partial<Certificates["server"]>, problem: RegExp][] = [
      [
        { key: other.server.key },
        /^the key in "tls\.server\.key" does not belong to the certificate in "tls\.server\.cert"\. P/,
      ],
      [
        { key: other.server.cert },
        /^"tls\.server\.key" holds no private key, but CERTIFICATE\. Pass the private key$/,
      ],
      [{ cert: mine.server.cert.slice(0, 100) }, /^"tls\.server\.cert" is a broken PEM: its CERT/],
    ];
    for (const [server, problem] of bad) {
      const tls = { ...mine, server: { ...mine.server, ...server } };
      await assert.rejects(FakeFalco.start({ tls }), (error: Error) => {
        const start = "Cannot listen at https://localhost:0: ";
        assert(error instanceof FalcoError && error.message.startsWith(start), String(error));
        assert.match(error.message.slice(start.length), problem);
        return true;
      });
    }
  });
});
