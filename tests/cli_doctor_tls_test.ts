/** `doctor` over TLS: what it finds at ports, and in the certificates of both sides. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http2";
import { createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import {
  certificates,
  diagnose,
  failure,
  folder,
  stateOf,
  useCertificates,
  withFake,
  withServer,
} from "./doctor_probes.ts";

useCertificates();

const DAY_MS = 86_400_000;

describe("doctor over TLS", () => {
  const certs = (name: string): string[] => ["--certs", join(folder.path, name)];

  it("says that nobody listens on the port", async () => {
    let port = 0;
    await withServer(createTcpServer(), (free) => Promise.resolve(void (port = free)));
    const line = failure(await diagnose(`localhost:${port}`, ...certs("certs")));
    assert.match(line, /^listening: nobody listens on this port\. Falco 0\.44/);
  });

  it("says that a name does not resolve", async () => {
    const line = failure(await diagnose("https://no-such-host.invalid:5060", ...certs("certs")));
    assert.match(line, /^resolve: no-such-host\.invalid does not resolve/);
  });

  it("says that certificates are missing, and looks at the server's all the same", async () => {
    await withFake({ tls: certificates }, async (fake) => {
      const report = await diagnose(fake.address);
      assert.match(failure(report), /^certificates: --ca, --cert, --key not given\. /);
      assert.equal(stateOf(report)["server-name"], "ok");
      assert.equal(stateOf(report)["client-certificate"], "skipped");
      const missing = await diagnose(fake.address, ...certs("no-such-folder"));
      assert.match(
        failure(missing),
        /^certificates: the file ".*no-such-folder\/.*" .*cannot be read/,
      );
    });
  });

  it("says that another authority signed Falco's certificate", async () => {
    await writeCertificates(join(folder.path, "other"), await makeCertificates());
    await withFake({ tls: certificates }, async (fake) => {
      const { path } = folder;
      const files = ["--cert", `${path}/certs/client.crt`, "--key", `${path}/certs/client.key`];
      const line = failure(await diagnose(fake.address, "--ca", `${path}/other/ca.crt`, ...files));
      assert.match(line, /^server-chain: not signed by the authority in .*other\/ca\.crt/);
    });
  });

  it("says that the client certificate is of another authority", async () => {
    await withFake({ tls: certificates }, async (fake) => {
      const { path } = folder;
      const files = ["--cert", `${path}/other/client.crt`, "--key", `${path}/other/client.key`];
      const line = failure(await diagnose(fake.address, "--ca", `${path}/certs/ca.crt`, ...files));
      assert.match(line, /^client-certificate: not accepted: .*grpc\.root_certs/);
    });
  });

  it("says that key and certificate do not belong together", async () => {
    await withFake({ tls: certificates }, async (fake) => {
      const { path } = folder;
      const files = ["--key", `${path}/other/client.key`];
      const report = await diagnose(fake.address, ...certs("certs"), ...files);
      assert.match(
        failure(report),
        new RegExp(
          '^certificates: the key in the file ".*/other/client\\.key" of the option "--key" does not ' +
            'belong to the certificate in the file ".*/certs/client\\.crt" of .+\\. Pass the key that',
        ),
      );
    });
  });

  it("says that the client certificate has expired, before and after Falco does", async () => {
    const expired = await makeCertificates({ days: 2, now: Date.now() - 9 * DAY_MS });
    const path = join(folder.path, "expired");
    await writeCertificates(path, expired);
    const tls = { ...certificates, ca: certificates.ca + expired.ca };
    await withFake({ tls }, async (fake) => {
      const ca = ["--ca", join(folder.path, "certs", "ca.crt")];
      const report = await diagnose(fake.address, "--certs", path, ...ca);
      const states = stateOf(report);
      assert.deepEqual(
        Object.keys(states).filter((check) => states[check] === "fail"),
        ["certificates", "client-certificate"],
      );
      assert.match(report.checks[3]!.text, /^the client's has expired on 20\d\d-\d\d-\d\d$/);
    });
  });

  it("says that Falco's certificate has expired, or will soon", async () => {
    const expired = await makeCertificates({ days: 2, now: Date.now() - 9 * DAY_MS });
    const tls = { ...expired, ca: certificates.ca };
    await withFake({ tls }, async (fake) => {
      const { path } = folder;
      const ca = ["--ca", `${path}/expired/ca.crt`];
      writeFileSync(`${path}/expired/ca.crt`, expired.ca);
      const report = await diagnose(fake.address, ...certs("certs"), ...ca);
      const dates = report.checks.find(({ check }) => check === "server-dates");
      assert.match(`${dates?.state} ${dates?.text}`, /^fail the server's has expired on 20/);
    });
    const soon = await makeCertificates({ days: 3 });
    await writeCertificates(join(folder.path, "soon"), soon);
    await withFake({ tls: soon }, async (fake) => {
      const report = await diagnose(fake.address, ...certs("soon"));
      assert.equal(report.ok, false);
      assert.equal(stateOf(report)["server-dates"], "warn");
      assert.equal(stateOf(report)["version"], "ok");
    });
  });

  it("says that the certificate is for other names", async () => {
    await withFake({ tls: certificates }, async (fake) => {
      const name = ["--server-name", "falco.example.test"];
      const line = failure(await diagnose(fake.address, ...certs("certs"), ...name));
      assert.match(
        line,
        /^server-name: not valid for "falco\.example\.test" \(SAN: DNS:localhost, /,
      );
    });
  });

  it("says that the other side does not speak TLS, or no HTTP/2", async () => {
    await withServer(createServer(), async (port) => {
      const report = await diagnose(`localhost:${port}`, ...certs("certs"));
      assert.match(
        failure(report),
        /^tls: .*[Cc]heck that this is the port of grpc\.bind_address|^tls: /,
      );
    });
    const { createServer: createTlsServer } = await import("node:tls");
    const server = createTlsServer({ ...certificates.server, ALPNProtocols: ["http/1.1"] });
    await withServer(server, async (port) => {
      const report = await diagnose(`localhost:${port}`, ...certs("certs"));
      assert.match(failure(report), /^(alpn: |tls: )/);
    });
  });
});
