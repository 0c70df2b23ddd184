/** The name check of TLS, for the addresses that a version of Node forgets. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type { PeerCertificate } from "node:tls";
import { describe, it } from "node:test";
import { makeCertificates } from "../harness/certificates.ts";
import { checkServerName } from "../lib/transport/check_server_name.ts";

describe("checkServerName()", () => {
  const cases = [
    { host: "::1", isValid: true },
    { host: "0:0:0:0:0:0:0:1", isValid: true },
    { host: "::2", isValid: false },
    { host: "127.0.0.1", isValid: true },
    { host: "127.0.0.2", isValid: false },
    { host: "localhost", isValid: true },
    { host: "falco.test", isValid: false },
  ];
  for (const { host, isValid } of cases) {
    it(`${isValid ? "takes" : "refuses"} ${host}`, async () => {
      const { server } = await makeCertificates({ names: ["localhost", "127.0.0.1", "::1"] });
      const certificate = new X509Certificate(server.cert);
      const shown = {
        subject: { CN: "localhost" },
        subjectaltname: certificate.subjectAltName,
        raw: certificate.raw,
      } as unknown as PeerCertificate;
      const error = checkServerName(host, shown);
      assert.equal(error === undefined, isValid, error?.message);
    });
  }
});
