/** connect-node as it comes, measured. @module */
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { connect } from "node:net";
import process from "node:process";
import { service } from "../../gen/outputs_pb.ts";
import { digestOf, measureGet, readCertificates, readTarget } from "./measure.ts";

const target = readTarget();
const transport = createGrpcTransport(
  target.certs === ""
    ? {
      baseUrl: "http://localhost",
      nodeOptions: { createConnection: () => connect(target.socket) },
    }
    : {
      baseUrl: `https://localhost:${target.port}`,
      nodeOptions: readCertificates(target.certs),
    },
);
const client = createClient(service, transport);
await measureGet(async () => {
  let alerts = 0;
  let digest = 0;
  for await (const alert of client.get({})) {
    alerts++;
    digest += digestOf(alert);
  }
  return { alerts, digest };
});
process.exit();
