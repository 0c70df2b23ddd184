/**
 * Falco over TCP, which takes mutual TLS, with certificates from files.
 *
 *     deno run --allow-net --allow-read --allow-write=/tmp examples/07_mutual_tls.ts
 */
import { connect, FalcoConnectError } from "@falco-streams/core";
import {
  buildAlert,
  FakeFalco,
  makeCertificates,
  makeTempFolder,
  writeCertificates,
} from "@falco-streams/core/harness";

// As the openssl recipe of Falco's documentation does, in one call.
const folder = await makeTempFolder();
const certificates = await makeCertificates({ names: ["localhost"] });
await writeCertificates(folder.path, certificates);

const fake = await FakeFalco.start({ tls: certificates });
fake.push(buildAlert({ rule: "Terminal shell in container" }));

const falco = connect(fake.address, {
  tls: {
    ca: `${folder.path}/ca.crt`,
    cert: `${folder.path}/client.crt`,
    key: `${folder.path}/client.key`,
  },
});
for await (const alert of falco.outputs.get()) console.log(alert.rule);
await falco.close();

// Somebody without a certificate of that authority is told what is wrong.
const { client } = await makeCertificates();
const stranger = connect(fake.address, {
  tls: { ca: certificates.ca, cert: client.cert, key: client.key },
});
try {
  await stranger.version();
} catch (error) {
  if (!(error instanceof FalcoConnectError)) throw error;
  console.log(`${error.reason}: ${error.message}`);
}

await stranger.close();
await fake.stop();
await folder.remove();
