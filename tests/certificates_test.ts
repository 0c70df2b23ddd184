import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { link, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { connect as connectHttp2, createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { connect, createServer } from "node:tls";
import type { ConnectionOptions, TlsOptions, TLSSocket } from "node:tls";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import type { Certificates, KeyedCertificate } from "../harness/certificates.ts";
import type { CertificatesOptions } from "../harness/certificate_options.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { FalcoError } from "../lib/errors.ts";

/** What Falco asks of its clients: a certificate, issued by this authority. */
function demand(certificates: Certificates): TlsOptions {
  const { ca, server } = certificates;
  return { ca, ...server, requestCert: true, rejectUnauthorized: true };
}

/** Connects once and resolves with what the server says; rejects if either side refuses the other. */
async function handshake(server: TlsOptions, client: ConnectionOptions): Promise<string> {
  const { host = "127.0.0.1" } = client;
  const sockets = new Set<TLSSocket>();
  const listener = createServer(server, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.end(`${socket.authorized ? "authorized" : "stranger"} over ${socket.getProtocol()}`);
  });
  listener.on("tlsClientError", () => {});
  listener.listen(0, host);
  await once(listener, "listening");
  try {
    const { port } = listener.address() as AddressInfo;
    return await new Promise((resolve, reject) => {
      let text = "";
      const socket = connect({ host, port, ...client });
      sockets.add(socket);
      socket.setEncoding("utf8");
      socket.on("data", (chunk) => text += chunk);
      socket.on("error", reject);
      socket.on("end", () => text === "" ? reject(new Error("closed unheard")) : resolve(text));
      socket.on("close", () => reject(new Error("closed unheard")));
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    listener.close();
    await once(listener, "close");
  }
}

describe("makeCertificates()", () => {
  for (const algorithm of ["ecdsa", "rsa"] as const) {
    describe(`${algorithm} certificates`, () => {
      let ours: Certificates;
      before(async () => {
        ours = await makeCertificates({ algorithm });
      });

      for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
        for (const host of ["localhost", "127.0.0.1"]) {
          it(`satisfy both sides of mutual ${version} at ${host}`, async () => {
            const said = await handshake(
              { ...demand(ours), minVersion: version, maxVersion: version },
              { ca: ours.ca, ...ours.client, host },
            );
            assert.equal(said, `authorized over ${version}`);
          });
        }

        it(`let a ${version} server refuse a client without certificate`, async () => {
          const server = { ...demand(ours), minVersion: version, maxVersion: version };
          await assert.rejects(handshake(server, { ca: ours.ca }));
        });

        it(`let a ${version} server refuse a client of another authority`, async () => {
          const server = { ...demand(ours), minVersion: version, maxVersion: version };
          const { client } = await makeCertificates();
          await assert.rejects(handshake(server, { ca: ours.ca, ...client }));
        });
      }

      it("carry a request over HTTP/2", async () => {
        const server = createSecureServer(demand(ours), (_request, response) => response.end("hi"));
        server.listen(0, "localhost");
        await once(server, "listening");
        const { port } = server.address() as AddressInfo;
        const session = connectHttp2(`https://localhost:${port}`, { ca: ours.ca, ...ours.client });
        try {
          const request = session.request({ ":path": "/" });
          request.setEncoding("utf8");
          let text = "";
          for await (const chunk of request) text += chunk;
          assert.equal(text, "hi");
          assert.equal(session.alpnProtocol, "h2");
        } finally {
          const closed = once(session, "close");
          session.close();
          await closed;
          server.close();
          await once(server, "close");
        }
      });

      it("have the key kind that was asked for", () => {
        const kind = { ecdsa: "ec", rsa: "rsa" }[algorithm];
        for (const pem of [ours.ca, ours.server.cert, ours.client.cert]) {
          assert.equal(new X509Certificate(pem).publicKey.asymmetricKeyType, kind);
        }
      });
    });
  }

  describe("certificates with default options", () => {
    let ours: Certificates;
    before(async () => {
      ours = await makeCertificates();
    });

    it("let a client refuse a server of another authority", async () => {
      const { ca } = await makeCertificates();
      await assert.rejects(handshake(demand(ours), { ca, ...ours.client }));
    });

    it("let a client refuse a server by a name that is not in its certificate", async () => {
      const client = { ca: ours.ca, ...ours.client, servername: "falco.example.test" };
      await assert.rejects(handshake(demand(ours), client));
    });

    it("let a server refuse the certificate of a server", async () => {
      await assert.rejects(handshake(demand(ours), { ca: ours.ca, ...ours.server }));
    });

    it("let a client refuse the certificate of a client", async () => {
      const { cert: _, key: __, ...rest } = demand(ours);
      await assert.rejects(handshake({ ...rest, ...ours.client }, { ca: ours.ca, ...ours.client }));
    });

    it("are one authority and two leaves that it issued", () => {
      const ca = new X509Certificate(ours.ca);
      assert.equal(ca.ca, true);
      for (const { cert } of [ours.server, ours.client]) {
        const leaf = new X509Certificate(cert);
        assert.equal(leaf.ca, false);
        assert.equal(leaf.checkIssued(ca), true);
        assert.equal(leaf.verify(ca.publicKey), true);
      }
    });

    it("have serial numbers above 0 that differ", () => {
      const serials = [ours.ca, ours.server.cert, ours.client.cert]
        .map((pem) => new X509Certificate(pem).serialNumber);
      assert.equal(new Set(serials).size, 3);
      for (const serial of serials) assert.match(serial, /^(?!0+$)[0-9a-f]{1,40}$/i);
    });

    it("are PEM blocks that end with one line break", () => {
      for (const text of [ours.ca, ours.server.cert, ours.client.cert]) {
        assert.match(
          text,
          /^-----BEGIN CERTIFICATE-----\n[\w+/=\n]+\n-----END CERTIFICATE-----\n$/,
        );
      }
      for (const { key } of [ours.server, ours.client]) {
        assert.match(key, /^-----BEGIN PRIVATE KEY-----\n[\w+/=\n]+\n-----END PRIVATE KEY-----\n$/);
      }
    });

    it("name loopback in the server's certificate", () => {
      const certificate = new X509Certificate(ours.server.cert);
      assert.equal(certificate.checkHost("localhost"), "localhost");
      assert.equal(certificate.checkIP("127.0.0.1"), "127.0.0.1");
      assert.equal(certificate.checkIP("::1"), "::1");
      assert.equal(certificate.checkIP("127.0.0.2"), undefined);
    });
  });

  it("takes names of every kind", async () => {
    const ours = await makeCertificates({
      names: ["falco", "*.example.test", "xn--bcher-kva.example", "10.1.2.3", "::ffff:10.0.0.1"],
    });
    const certificate = new X509Certificate(ours.server.cert);
    assert.equal(certificate.checkHost("falco"), "falco");
    assert.equal(certificate.checkHost("localhost"), undefined);
    assert.equal(certificate.checkHost("xn--bcher-kva.example"), "xn--bcher-kva.example");
    assert.equal(certificate.checkIP("10.1.2.3"), "10.1.2.3");
    assert.match(certificate.subjectAltName ?? "", /(?::ffff:10\.0\.0\.1|:FFFF:A00:1)$/);
    const client = { ca: ours.ca, ...ours.client, servername: "node-1.example.test" };
    assert.match(await handshake(demand(ours), client), /^authorized/);
  });

  it("dates validity from a day before now, in whole seconds", async () => {
    const now = Date.UTC(2049, 11, 1, 12, 0, 0, 999);
    const { ca, server, client } = await makeCertificates({ now, days: 90.5 });
    for (const pem of [ca, server.cert, client.cert]) {
      const { validFrom, validTo } = new X509Certificate(pem);
      assert.equal(Date.parse(validFrom), Date.UTC(2049, 10, 30, 12, 0, 0));
      const end = pem === ca ? now + 3650 * 86_400_000 : Date.UTC(2050, 2, 2, 0, 0, 0);
      assert.equal(Date.parse(validTo), end - end % 1000);
    }
  });

  it("lets an authority live as long as what it issues, up to the year 9999", async () => {
    for (
      const { days, end } of [{ days: 4000, end: "2037" }, { days: 2_900_000, end: "9966" }]
    ) {
      const { ca } = await makeCertificates({ now: Date.UTC(2026, 5, 1), days });
      assert(new X509Certificate(ca).validTo.includes(end), new X509Certificate(ca).validTo);
    }
    const last = await makeCertificates({ now: Date.UTC(9999, 0, 1), days: 1 });
    assert.match(new X509Certificate(last.ca).validTo, /Dec 31 23:59:59 9999/);
  });

  it("keeps the key of the authority only if it is asked to", async () => {
    assert(!("caKey" in await makeCertificates()));
    const { ca, caKey } = await makeCertificates({ keepAuthorityKey: true });
    assert.match(caKey!, /^-----BEGIN PRIVATE KEY-----\n/);
    const authority = { cert: ca, key: caKey! };
    assert(!("caKey" in await makeCertificates({ authority })));
    assert.equal((await makeCertificates({ authority, keepAuthorityKey: true })).caKey, caKey);
  });

  it("issues certificates that those of the same authority trust", async () => {
    const old = await makeCertificates({ keepAuthorityKey: true });
    const renewed = await makeCertificates({ authority: { cert: old.ca, key: old.caKey! } });
    assert.equal(renewed.ca, old.ca);
    assert.notEqual(renewed.server.key, old.server.key);
    const said = await handshake(demand(renewed), { ca: old.ca, ...old.client });
    assert.match(said, /^authorized/);
  });

  it("issues nothing that outlives an authority that was given", async () => {
    const now = Date.now();
    const old = await makeCertificates({ now, days: 3700, keepAuthorityKey: true });
    const authority = { cert: old.ca, key: old.caKey! };
    const { server } = await makeCertificates({ now, days: 9000, authority });
    const end = (pem: string) => new X509Certificate(pem).validTo;
    assert.equal(end(server.cert), end(old.ca));
    const late = { authority, now: now + 3701 * 86_400_000 };
    await assert.rejects(makeCertificates(late), /option "authority" has ended: it was valid/);
  });

  it("refuses what is no authority, or has the key of another", async () => {
    const [ours, other] = await Promise.all(
      (["ecdsa", "rsa"] as const).map((algorithm) =>
        makeCertificates({ algorithm, keepAuthorityKey: true })
      ),
    );
    const same = await makeCertificates({ keepAuthorityKey: true });
    const given: { authority: KeyedCertificate; message: RegExp }[] = [
      { authority: ours!.server, message: /is not the certificate of an authority\. / },
      { authority: { cert: ours!.ca, key: same.caKey! }, message: /has the key of another one\. / },
      { authority: { cert: ours!.ca, key: other!.caKey! }, message: /has no ECDSA key in PKCS#8/ },
      { authority: { cert: other!.ca, key: ours!.caKey! }, message: /has no RSA key in PKCS#8/ },
      { authority: { cert: ours!.ca, key: "" }, message: /has no key in PEM\. / },
      { authority: { cert: "?", key: ours!.caKey! }, message: /has no certificate in PEM\. / },
    ];
    for (const { authority, message } of given) {
      await assert.rejects(makeCertificates({ authority }), { name: "TypeError", message });
    }
    const broken = ["expired-authority"] as const;
    const authority = { cert: ours!.ca, key: ours!.caKey! };
    await assert.rejects(makeCertificates({ authority, broken }), { name: "TypeError" });
  });

  for (
    const { broken, refuses } of [
      { broken: "expired", refuses: "client" },
      { broken: "expired-authority", refuses: "client" },
      { broken: "wrong-name", refuses: "client" },
      { broken: "other-authority", refuses: "client" },
      { broken: "expired-client", refuses: "server" },
      { broken: "other-authority-client", refuses: "server" },
    ] as const
  ) {
    it(`makes the ${refuses} refuse what is broken as ${broken}`, async () => {
      const ours = await makeCertificates({ broken: [broken] });
      const server = demand(ours);
      const meeting = handshake(server, { ca: ours.ca, ...ours.client });
      // Deno does not look at the dates of an authority that it was told to trust.
      if (broken === "expired-authority" && "Deno" in globalThis) return void await meeting;
      await assert.rejects(meeting);
      // If that side does not look, they meet.
      const met = refuses === "client"
        ? handshake(
          { ...server, rejectUnauthorized: false },
          { ...ours.client, rejectUnauthorized: false },
        )
        : handshake(ours.server, { ca: ours.ca });
      assert.match(await met, / over TLSv1.3$/);
    });
  }

  it("makes expired certificates if now is long past", async () => {
    const expired = await makeCertificates({ now: Date.now() - 10 * 86_400_000, days: 9 });
    await assert.rejects(handshake(demand(expired), { ca: expired.ca, ...expired.client }));
  });

  const wrong: { options: unknown; error: typeof Error; message: RegExp }[] = [
    { options: { names: [] }, error: RangeError, message: /"names" is empty/ },
    { options: { names: "localhost" }, error: TypeError, message: /"names" is "localhost"/ },
    { options: { names: [7] }, error: TypeError, message: /"names" has 7/ },
    ...[
      "",
      "localhost:5060",
      "[::1]",
      "fe80::1%lo",
      "256.1.1.1",
      "bücher.example",
      "a..b",
      "falco.",
      "-a",
      "a-.b",
      "*",
      "a.*.b",
      "a b",
      "a\nb",
      "x".repeat(64),
      "x.".repeat(127) + "y",
    ].map((name) => ({
      options: { names: ["localhost", name] },
      error: TypeError,
      message: /option "names" has "/,
    })),
    { options: { days: 0 }, error: RangeError, message: /"days" is 0\. / },
    { options: { days: NaN }, error: RangeError, message: /"days" is NaN\. / },
    { options: { days: 3_000_000 }, error: RangeError, message: /"days" is 3000000\. / },
    { options: { now: -1 }, error: RangeError, message: /"now" is -1\. / },
    { options: { now: Infinity }, error: RangeError, message: /"now" is Infinity\. / },
    { options: { broken: "expired" }, error: TypeError, message: /"broken" is "expired"\. / },
    { options: { broken: ["rusty"] }, error: TypeError, message: /"broken" has "rusty"\. / },
    { options: { algorithm: "dsa" }, error: TypeError, message: /"algorithm" is "dsa"\. / },
  ];
  for (const { options, error, message } of wrong) {
    it(`refuses ${JSON.stringify(options)}`, async () => {
      await assert.rejects(makeCertificates(options as CertificatesOptions), (thrown: unknown) => {
        assert(thrown instanceof error);
        assert.match(thrown.message, message);
        assert.match(thrown.message, /^Cannot make certificates: .*[^.]$/);
        return true;
      });
    });
  }
});

describe("writeCertificates()", () => {
  const posix = { skip: process.platform === "win32" ? "Windows has no modes" : false };
  let certificates: Certificates;
  let folder: TempFolder;
  before(async () => {
    certificates = await makeCertificates();
    folder = await makeTempFolder();
  });
  after(() => folder.remove());

  async function modeOf(path: string): Promise<number> {
    return (await stat(path)).mode & 0o777;
  }

  it("writes five files and the folders above them", async () => {
    const path = `${folder.path}/deep/certs`;
    await writeCertificates(path, certificates);
    const names = (await readdir(path)).sort();
    assert.deepEqual(names, ["ca.crt", "client.crt", "client.key", "server.crt", "server.key"]);
    const [ca, clientCert, clientKey, serverCert, serverKey] = await Promise.all(
      names.map((name) => readFile(`${path}/${name}`, "utf8")),
    );
    assert.deepEqual({
      ca,
      server: { cert: serverCert, key: serverKey },
      client: { cert: clientCert, key: clientKey },
    }, certificates);
  });

  it("writes the authority's key if it was kept, for its owner only", posix, async () => {
    const path = `${folder.path}/kept`;
    const kept = await makeCertificates({ keepAuthorityKey: true });
    await writeCertificates(path, kept);
    assert.equal(await readFile(`${path}/ca.key`, "utf8"), kept.caKey);
    assert.equal(await modeOf(`${path}/ca.key`), 0o600);
  });

  it("keeps keys and new folders to their owner", posix, async () => {
    const path = `${folder.path}/private/certs`;
    await writeCertificates(path, certificates);
    assert.equal(await modeOf(`${folder.path}/private`), 0o700);
    assert.equal(await modeOf(path), 0o700);
    assert.equal(await modeOf(`${path}/server.key`), 0o600);
    assert.equal(await modeOf(`${path}/client.key`), 0o600);
    assert.equal(await modeOf(`${path}/ca.crt`) & ~0o044, 0o600); // The umask may take the rest.
  });

  it("replaces files instead of writing into them", posix, async () => {
    const path = `${folder.path}/used`;
    await mkdir(path, { mode: 0o755 });
    await writeFile(`${path}/server.key`, "old", { mode: 0o644 });
    await writeFile(`${folder.path}/elsewhere`, "untouched");
    await link(`${folder.path}/elsewhere`, `${path}/client.key`);
    const mode = await modeOf(path);
    await writeCertificates(path, certificates);
    assert.equal(await modeOf(path), mode);
    assert.equal(await modeOf(`${path}/server.key`), 0o600);
    assert.equal(await readFile(`${path}/server.key`, "utf8"), certificates.server.key);
    assert.equal(await readFile(`${path}/client.key`, "utf8"), certificates.client.key);
    assert.equal(await readFile(`${folder.path}/elsewhere`, "utf8"), "untouched");
  });

  it("names the folder it cannot write to", async () => {
    const path = `${folder.path}/file/certs`;
    await writeFile(`${folder.path}/file`, "");
    await assert.rejects(writeCertificates(path, certificates), (error: unknown) => {
      assert(error instanceof FalcoError);
      assert(error.message.startsWith(`Cannot write certificates to "${path}": `));
      assert(error.cause instanceof Error);
      return true;
    });
  });
});
