/** Certificates that a client cannot use: broken, of another key, expired, or not valid yet. */
import assert from "node:assert/strict";
import { createServer as createNetServer } from "node:net";
import { test } from "node:test";
import { makeCertificates } from "../harness/certificates.ts";
import type { Certificates } from "../harness/certificates.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { certificateDates } from "../lib/transport/certificate_dates.ts";
import type { TlsCredentials } from "../lib/transport/credentials.ts";
import { certificates, credentials, withServer } from "./client_probes.ts";
import { assertFails, others } from "./tls_probes.ts";

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
