/** Our certificates as openssl sees them, and openssl's, made as Falco's documentation says, here. */
import assert from "node:assert/strict";
import { createSecureServer } from "node:http2";
import { after, before, describe, it } from "node:test";
import { versionOf } from "../harness/certificate_facts.ts";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import type { Certificates } from "../harness/certificates.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { connect } from "../lib/client/connect.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import type { TlsCredentials } from "../lib/transport/credentials.ts";
import { rejection, withServer } from "./client_probes.ts";
import { followRecipe, openssl, skipWithoutOpenssl } from "./openssl.ts";

const isDeno = "Deno" in globalThis;

describe("openssl verify", { skip: skipWithoutOpenssl }, () => {
  let folder: TempFolder;
  before(async () => {
    folder = await makeTempFolder();
  });
  after(() => folder.remove());

  /** Its verdict on one of the two, as strict as it can be. */
  function verify(side: "server" | "client", ...more: string[]): string {
    const purpose = ["-purpose", side === "server" ? "sslserver" : "sslclient"];
    const args = ["verify", "-x509_strict", "-CAfile", "ca.crt", ...purpose, ...more];
    return openssl(folder.path, [...args, `${side}.crt`]).text;
  }

  for (const algorithm of ["ecdsa", "rsa"] as const) {
    it(`accepts ${algorithm} certificates, each for its purpose and its names`, async () => {
      await writeCertificates(folder.path, await makeCertificates({ algorithm }));
      assert.match(verify("server", "-verify_hostname", "localhost"), /^server\.crt: OK\n$/);
      assert.match(verify("server", "-verify_ip", "::1"), /^server\.crt: OK\n$/);
      assert.match(verify("client"), /^client\.crt: OK\n$/);
      assert.match(verify("client", "-purpose", "sslserver"), /error 26 .*purpose/);
      assert.match(verify("server", "-verify_hostname", "falco"), /error 62 .*ostname mismatch/);
    });
  }

  it("accepts renewed certificates with the authority that was there before", async () => {
    const options = { keepAuthorityKey: true, algorithm: "rsa" } as const;
    const old = await makeCertificates(options);
    const authority = { cert: old.ca, key: old.caKey! };
    const renewed = await makeCertificates({ authority, algorithm: "ecdsa" });
    await writeCertificates(folder.path, { ...renewed, ca: old.ca });
    assert.match(verify("server"), /^server\.crt: OK\n$/);
    assert.match(verify("client"), /^client\.crt: OK\n$/);
  });

  const refused = [
    { broken: "expired", side: "server", error: /error 10 at 0 depth/, other: "client" },
    { broken: "expired-client", side: "client", error: /error 10 at 0 depth/, other: "server" },
    { broken: "expired-authority", side: "server", error: /error 10 at 1 depth/ },
    { broken: "wrong-name", side: "server", error: /error 62 at 0 depth/, other: "client" },
    { broken: "other-authority", side: "server", error: /error 20 at 0 depth/, other: "client" },
    { broken: "other-authority-client", side: "client", error: /error 20 at 0/, other: "server" },
  ] as const;
  for (const { broken, side, error, ...rest } of refused) {
    it(`refuses what is broken as ${broken}, and for that alone`, async () => {
      await writeCertificates(folder.path, await makeCertificates({ broken: [broken] }));
      const name = side === "server" ? ["-verify_hostname", "localhost"] : [];
      const text = verify(side, ...name);
      assert.match(text, error);
      assert.equal(text.match(/error \d+ at/g)?.length, 1, text);
      if ("other" in rest) assert.match(verify(rest.other), /: OK\n$/);
    });
  }
});

describe(
  "certificates of the recipe in Falco's documentation",
  { skip: skipWithoutOpenssl },
  () => {
    let folder: TempFolder;
    let recipe: Certificates;
    let tls: TlsCredentials;
    before(async () => {
      folder = await makeTempFolder();
      recipe = followRecipe(folder.path);
      tls = { ca: recipe.ca, ...recipe.client };
    });
    after(() => folder.remove());

    it("are of X.509 version 1, but for the authority", () => {
      assert.equal(versionOf(recipe.ca), 3);
      assert.equal(versionOf(recipe.server.cert), 1);
      assert.equal(versionOf(recipe.client.cert), 1);
    });

    it("do for mutual TLS with a fake at localhost, unless it runs on Deno", async () => {
      const fake = await FakeFalco.start({ tls: recipe });
      const falco = connect(fake.address, { tls });
      try {
        if (isDeno) {
          const error = await rejection(falco.version());
          assert(error instanceof FalcoConnectError);
          assert.equal(error.reason, "tls");
          assert.equal(fake.requests.length, 0);
        } else assert.equal((await falco.version()).version, "0.43.1");
      } finally {
        await falco.close();
        await fake.stop();
      }
    });

    /** A server that shows such a certificate and asks for none, which Deno could not accept. */
    async function withRecipe(test: (address: string) => Promise<void>): Promise<void> {
      const server = createSecureServer({ ...recipe.server }, (_, response) => {
        response.stream.respond(
          { ":status": 200, "content-type": "application/grpc", "grpc-status": "12" },
          { endStream: true },
        );
      });
      await withServer(server, "tls", test);
    }

    it("let our client trust a server called localhost", async () => {
      await withRecipe(async (address) => {
        const falco = connect(address, { tls });
        try {
          // Past TLS: it is the service that is not there.
          assert.match(String(await rejection(falco.version())), /status 12\. /);
        } finally {
          await falco.close();
        }
      });
    });

    it("do not stand for another name, and the error says which is missing", async () => {
      await withRecipe(async (address) => {
        const falco = connect(address.replace("localhost", "127.0.0.1"), { tls });
        try {
          const error = await rejection(falco.version());
          assert(error instanceof FalcoConnectError);
          assert.equal(error.reason, "tls");
          assert.match(error.message, /not valid for the name "127\.0\.0\.1".*subjectAltName/);
        } finally {
          await falco.close();
        }
      });
    });

    it("are no authority to renew from once their key has a pass phrase", async () => {
      const { ca } = recipe;
      const key =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
      await assert.rejects(makeCertificates({ authority: { cert: ca, key } }), {
        name: "TypeError",
        message: /option "authority" has no RSA key in PKCS#8, not encrypted\. /,
      });
    });

    it("can be renewed with the key of their authority in the clear", async () => {
      const plain = ["pkey", "-in", "ca.key", "-passin", "pass:1234"];
      const key = openssl(folder.path, plain).text;
      const renewed = await makeCertificates({ authority: { cert: recipe.ca, key } });
      const other = `${folder.path}/renewed`;
      await writeCertificates(other, renewed);
      const { text } = openssl(other, ["verify", "-CAfile", "../ca.crt", "server.crt"]);
      assert.equal(text, "server.crt: OK\n");
      assert.equal(versionOf(renewed.server.cert), 3);
    });
  },
);
