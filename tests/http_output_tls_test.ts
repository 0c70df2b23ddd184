/** `http_output` over TLS: whom it trusts, what it shows, and what it logs of either. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import type { Certificates } from "../harness/certificates.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import {
  answer,
  configure,
  ok,
  outputOf,
  RecordingServer,
  requestsIn,
} from "./http_output_probes.ts";

describe("HttpOutput over TLS", () => {
  let folder: TempFolder;
  let certificates: Certificates;
  let others: Certificates;
  before(async () => {
    folder = await makeTempFolder();
    certificates = await makeCertificates();
    others = await makeCertificates();
    await writeCertificates(folder.path, certificates);
    writeFileSync(join(folder.path, "other.crt"), others.ca);
  });
  after(() => folder.remove());

  const post = async (
    more: (path: string) => string,
    asksForCertificate = false,
    name = "localhost",
  ) => {
    const { ca, server: { cert, key } } = certificates;
    const server = new RecordingServer(answer(ok), {
      cert,
      key,
      ca,
      requestCert: asksForCertificate,
      rejectUnauthorized: asksForCertificate,
    });
    const port = await server.listen();
    const options = configure(`https://${name}:${port}/falco`, more(folder.path));
    const { output, log, write } = outputOf(options);
    try {
      await write("a");
      await write("b");
    } finally {
      output.close();
      await server.close();
    }
    return {
      log,
      bodies: requestsIn(server.bytes.toString()),
      connections: server.connections.length,
    };
  };

  it("trusts ca_cert, ca_bundle or what is in ca_path", async () => {
    for (
      const more of [
        (path: string) => `  ca_cert: ${path}/ca.crt\n`,
        (path: string) => `  ca_bundle: ${path}/ca.crt\n`,
        (path: string) => `  ca_path: ${path}\n`,
      ]
    ) {
      assert.deepEqual(await post(more), { log: [], bodies: ["a", "b"], connections: 1 });
    }
  });

  it("shows its certificate with mtls", async () => {
    const more = (path: string) =>
      `  ca_cert: ${path}/ca.crt\n  mtls: true\n  client_cert: ${path}/client.crt\n` +
      `  client_key: ${path}/client.key\n`;
    assert.deepEqual((await post(more, true)).bodies, ["a", "b"]);
  });

  it("takes any certificate with insecure", async () => {
    assert.deepEqual((await post(() => "  insecure: true\n")).bodies, ["a", "b"]);
  });

  it("logs a certificate that it does not trust", async () => {
    const logged = "SSL peer certificate or SSH remote key was not OK";
    const { log, bodies } = await post((path) => `  ca_cert: ${path}/other.crt\n`);
    assert.deepEqual(log, [logged, logged]);
    assert.deepEqual(bodies, []);
  });

  it("logs files that are missing at each alert", async () => {
    const cert = await post((path) =>
      `  ca_cert: ${path}/ca.crt\n  mtls: true\n  client_cert: /no\n`
    );
    assert.deepEqual(cert.log, Array(2).fill("Problem with the local SSL certificate"));
    const ca = await post(() => "  ca_cert: /no/such/ca.crt\n");
    assert.deepEqual(ca.log, Array(2).fill("Problem with the SSL CA cert (path? access rights?)"));
  });

  it("logs a server that wants a certificate it has not", async () => {
    const { log, bodies } = await post((path) => `  ca_cert: ${path}/ca.crt\n`, true);
    assert.deepEqual(log, Array(2).fill("Failure when receiving data from the peer"));
    assert.deepEqual(bodies, []);
  });
});
