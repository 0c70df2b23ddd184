/** @grpc/grpc-js with proto-loader, measured. @module */
import { credentials, loadPackageDefinition } from "@grpc/grpc-js";
import type { ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { Buffer } from "node:buffer";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { digestOf, measureGet, readCertificates, readTarget } from "./measure.ts";
import type { AlertLike } from "./measure.ts";

const target = readTarget();
const proto = fileURLToPath(new URL("../../proto", import.meta.url));
// With the defaults an alert has all its parts, and its time as numbers, as everybody else has it.
const loaded = loadSync("outputs.proto", { includeDirs: [proto], defaults: true, longs: Number });
const { falco } = loadPackageDefinition(loaded) as unknown as {
  falco: { outputs: { service: ServiceClientConstructor } };
};
const client = target.certs === ""
  ? new falco.outputs.service(`unix://${target.socket}`, credentials.createInsecure())
  : new falco.outputs.service(`localhost:${target.port}`, tlsCredentials(target.certs));
await measureGet(async () => {
  let alerts = 0;
  let digest = 0;
  for await (const alert of client["get"]!({}) as AsyncIterable<AlertLike>) {
    alerts++;
    digest += digestOf(alert);
  }
  return { alerts, digest };
});
process.exit();

function tlsCredentials(folder: string): ReturnType<typeof credentials.createSsl> {
  const { ca, cert, key } = readCertificates(folder);
  return credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(cert));
}
