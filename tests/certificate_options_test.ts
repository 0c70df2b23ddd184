/** Options of certificates: names, dates, a given authority, what is broken, what is refused. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, it } from "node:test";
import type { CertificatesOptions } from "../harness/certificate_options.ts";
import { makeCertificates } from "../harness/certificates.ts";
import type { KeyedCertificate } from "../harness/certificates.ts";
import { demand, handshake } from "./handshake.ts";

describe("makeCertificates()", () => {
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
