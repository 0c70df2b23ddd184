/**
 * On Node 22.18 or later, which runs TypeScript as it is: alerts as JSON lines to standard output,
 * until Ctrl-C.
 *
 *     npm install @falco-streams/core && node 09_on_node.ts
 *
 * The fake sends three alerts and stops. Leave it out, and read from a real Falco without
 * `reconnect: false`, which is what lets the subscription end with it here.
 */
import { connect, FilterStream, JsonLinesSink } from "@falco-streams/core";
import { buildAlert, FakeFalco } from "@falco-streams/core/harness";
import process from "node:process";
import { Writable } from "node:stream";

const fake = await FakeFalco.start();
const falco = connect(fake.address);

const interrupt = new AbortController();
const onInterrupt = () => interrupt.abort();
process.once("SIGINT", onInterrupt);

const alerts = falco.outputs.subscribe({ signal: interrupt.signal, reconnect: false });
// What has not been written when Ctrl-C comes, is not.
const printing = alerts
  .pipeThrough(new FilterStream("alert.priority >= warning"))
  .pipeTo(new JsonLinesSink(Writable.toWeb(process.stdout), { preventClose: true }))
  .catch((error) => {
    if (!interrupt.signal.aborted) throw error;
  });

fake.push(
  buildAlert({ rule: "Terminal shell in container", priority: "notice" }),
  buildAlert({ rule: "Read sensitive file untrusted", priority: "warning" }),
  buildAlert({ rule: "Drop and execute new binary in container", priority: "critical" }),
);
await fake.drained();
await fake.stop();
await printing;

const { received, gaps } = alerts.stats();
console.error(`${received} alerts received, ${gaps} gaps`);
process.off("SIGINT", onInterrupt);
await falco.close();
