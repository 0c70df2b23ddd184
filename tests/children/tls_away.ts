/** Asks in vain for a connection over TLS, again and again; prints how many TLS sockets it still holds. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { writeHeapSnapshot } from "node:v8";
import { buildAlert } from "../../harness/build_alert.ts";
import { makeTempFolder } from "../../harness/temp_folder.ts";
import { makeCertificates } from "../../harness/certificates.ts";
import { connect, FalcoConnectError, systemClock } from "../../mod.ts";
import { HttpDelivery } from "../../lib/sinks/http_delivery.ts";
import { StreamCarrier } from "../../lib/sinks/syslog_carrier.ts";

const ATTEMPTS = 20;
const { ca, client } = await makeCertificates();

const server = createServer();
server.listen(0, "localhost");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
server.close();
await once(server, "close");

const falco = connect(`https://localhost:${port}`, { tls: { ca, ...client } });
const carrier = new StreamCarrier({ host: "localhost", port }, () => Promise.resolve({ ca }));
const delivery = new HttpDelivery(new URL(`https://localhost:${port}`), {
  headers: {},
  body: () => ({ body: "", contentType: "text/plain" }),
  timeoutMs: 10_000,
  clock: systemClock,
  tls: { ca },
});
const signal = new AbortController().signal;
let refused = 0;
for (let count = 0; count < ATTEMPTS; count++) {
  await falco.version().catch((error: unknown) => {
    if (error instanceof FalcoConnectError && error.reason === "refused") refused++;
  });
  await delivery.deliver([buildAlert()], signal).catch((error: Error) => {
    if (/ECONNREFUSED/.test(error.message)) refused++;
  });
  await carrier.send([new Uint8Array(1)]).catch((error: { code?: unknown }) => {
    if (error.code === "ECONNREFUSED") refused++;
  });
}
const held = await count("TLSSocket");
delivery.end();
await falco.close();
process.stdout.write(`${JSON.stringify({ refused, held })}\n`);

/** The objects of a class that are still in memory once all garbage is gone. */
async function count(name: string): Promise<number> {
  const folder = await makeTempFolder();
  try {
    const path = writeHeapSnapshot(`${folder.path}/heap.heapsnapshot`);
    const { snapshot, nodes, strings } = JSON.parse(await readFile(path, "utf8")) as {
      snapshot: { meta: { node_fields: string[]; node_types: [string[]] } };
      nodes: number[];
      strings: string[];
    };
    const { node_fields: fields, node_types: [types] } = snapshot.meta;
    const [type, named] = [fields.indexOf("type"), fields.indexOf("name")];
    let found = 0;
    for (let at = 0; at < nodes.length; at += fields.length) {
      if (types[nodes[at + type]!] !== "object") continue;
      if (strings[nodes[at + named]!] === name) found++;
    }
    return found;
  } finally {
    await folder.remove();
  }
}
