/**
 * A client that gets a GOAWAY, as a process of its own: on Deno 2.9 that can end the process.
 *
 * Arguments: the HTTP/2 code, where a fake is to listen, and `clean` or `cancelled`: whether a call was
 * cancelled on the connection before. Prints, as JSON, what a `get()` and a subscription made of it.
 */
import process from "node:process";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { connect } from "../lib/client/connect.ts";
import { until } from "./waits.ts";

const [code, listen = "", before] = process.argv.slice(2);

const fake = await FakeFalco.start({ listen });
const falco = connect(fake.address, { tls: fake.credentials });
const push = (...rules: string[]) => fake.push(...rules.map((rule) => buildAlert({ rule })));

if (before === "cancelled") {
  const alerts = falco.outputs.subscribe();
  const reader = alerts.getReader();
  push("before");
  await reader.read();
  await reader.cancel();
  await until("all calls are over", () => fake.requests.every(({ open }) => !open));
}

// A drain that the GOAWAY comes into the middle of, and a subscription that is idle meanwhile.
const alerts = falco.outputs.subscribe({ reconnect: { minDelayMs: 50, maxDelayMs: 50 } });
const statuses: string[] = [];
void (async () => {
  for await (const status of alerts.status()) {
    const { error } = status as { error?: Error };
    statuses.push(error === undefined ? status.type : `${status.type}: ${error.message}`);
  }
})();
const reader = alerts.getReader();
push("a0", "a1");
fake.inject({ type: "goaway", code: Number(code), text: "too_many_pings", afterAlerts: 2 });
const seen: string[] = [];
for (let count = 0; count < 2; count++) seen.push((await reader.read()).value!.rule);
await until("the fault has struck", () => fake.faults.length === 1);
push("a2");
seen.push((await reader.read()).value!.rule);
const { version } = await falco.version();
await reader.cancel();
await falco.close();
const { received, reconnects, gaps } = alerts.stats();
await fake[Symbol.asyncDispose]();
console.log(JSON.stringify({ seen, statuses, version, received, reconnects, gaps }));
