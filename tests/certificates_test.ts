/** Certificates as both sides of TLS take or refuse them, and as files. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { link, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { connect as connectHttp2, createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import type { Certificates } from "../harness/certificates.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { FalcoError } from "../lib/errors.ts";
import { demand, handshake } from "./handshake.ts";

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
