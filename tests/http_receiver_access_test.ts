/** Who gets at an HTTP receiver: where it listens, and whom it trusts over TLS. */
import assert from "node:assert/strict";
import { request } from "node:https";
import type { RequestOptions } from "node:https";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { HttpReceiver } from "../mod.ts";
import { line, withReceiver } from "./http_receiver_probes.ts";
import { post, RawConnection } from "./raw_http.ts";

describe("HttpReceiver", () => {
  it("refuses to let everybody in", async () => {
    for (const options of [{ hostname: "0.0.0.0" }, { hostname: "::" }, { token: "" }]) {
      await assert.rejects(HttpReceiver.start({ port: 0, ...options }), TypeError);
    }
    for (const options of [{ token: "x" }, { allowInsecure: true }]) {
      await (await HttpReceiver.start({ port: 0, hostname: "0.0.0.0", ...options })).close();
    }
    await assert.rejects(HttpReceiver.start({ port: 0, maxBodyBytes: 0 }), RangeError);
  });

  it("says so if the port is taken, or a certificate cannot be read", async () => {
    const receiver = await HttpReceiver.start({ port: 0 });
    const port = Number(new URL(receiver.url).port);
    await assert.rejects(
      HttpReceiver.start({ port }),
      /Cannot listen on 127\.0\.0\.1:\d+: .*in use/i,
    );
    await receiver.close();
    const tls = { cert: "/no/such.crt", key: "/no/such.key" };
    await assert.rejects(
      HttpReceiver.start({ port: 0, tls }),
      /"\/no\/such\.crt" .* cannot be read/,
    );
    const [ours, theirs] = await Promise.all([makeCertificates(), makeCertificates()]);
    await assert.rejects(
      HttpReceiver.start({ port: 0, tls: { ...ours.server, key: theirs.server.key } }),
      {
        name: "FalcoError",
        message:
          'Cannot start the receiver: the key in the option "tls.key" does not belong to the ' +
          'certificate in the option "tls.cert". Pass the key that the certificate was made for',
      },
    );
  });

  it("serves TLS, and refuses senders without a certificate of its authority", async () => {
    const [ours, theirs] = await Promise.all([makeCertificates(), makeCertificates()]);
    const tls = { ...ours.server, clientCa: ours.ca };
    const stats = await withReceiver({ tls }, async ({ url }) => {
      assert.match(url, /^https:/);
      assert.equal(await postTls(url, { ca: ours.ca, ...ours.client }), 200);
      await assert.rejects(postTls(url, { ca: ours.ca }));
      await assert.rejects(postTls(url, { ca: ours.ca, ...theirs.client }));
      await assert.rejects(postTls(url, { ca: theirs.ca, ...ours.client }));
      const plain = new RawConnection(url);
      plain.send(post(line("plain")));
      await plain.closed;
    });
    assert.equal(stats.received, 1);
    // Bun does not tell of connections that fail before they are encrypted.
    assert.deepEqual(stats.refused, "Bun" in globalThis ? {} : { malformed: 4 });
  });

  it("takes what Falco posts with mtls, and the token in its URL", async () => {
    const ours = await makeCertificates();
    const folder = await makeTempFolder();
    try {
      await writeCertificates(folder.path, ours);
      const tls = { ...ours.server, clientCa: ours.ca };
      const options = { tls, hostname: "localhost", token: "s3cret" };
      const stats = await withReceiver(options, async (receiver) => {
        const url = receiver.url.replace("//", "//any:s3cret@");
        const log: string[] = [];
        const fake = await FakeFalco.fromConfig(
          "json_output: true\n" +
            `http_output:\n  enabled: true\n  url: ${url}\n  ca_cert: ${folder.path}/ca.crt\n` +
            `  mtls: true\n  client_cert: ${folder.path}/client.crt\n` +
            `  client_key: ${folder.path}/client.key\n`,
          { stderr: (bytes) => void log.push(String(bytes)), stdout: () => {}, env: {} },
        );
        try {
          fake.push(buildAlert({ rule: "one" }), buildAlert({ rule: "two" }));
          const rules: string[] = [];
          for await (const { rule } of receiver) {
            if (rules.push(rule) === 2) break;
          }
          assert.deepEqual(rules, ["one", "two"], log.join(""));
        } finally {
          await fake.stop();
        }
      });
      assert.deepEqual([stats.received, stats.refused], [2, {}]);
    } finally {
      await folder.remove();
    }
  });
});

/** Posts over TLS, with a certificate or without, and says the status. */
function postTls(url: string, tls: RequestOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(url);
    const options = { ...tls, port, host: "localhost", method: "POST", agent: false } as const;
    const sent = request(options, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode!));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(line("tls"));
  });
}
