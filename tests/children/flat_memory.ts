/**
 * Stops reading while 200,000 alerts queue, and says how the memory of the client grew, and whether
 * all alerts came in order after all. The server is another process: `argv[2]` is its address,
 * `argv[3]` the number of alerts, `argv[4]` the transport.
 */
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { connect } from "../../lib/client/connect.ts";

const [address, countText, transport] = process.argv.slice(2);
const count = Number(countText);
const collect = (globalThis as { gc?: () => void }).gc ?? (() => {});
const falco = connect(address, { transport: transport as "own" | "stock" });
const alerts = falco.outputs.subscribe();
const reader = alerts.getReader();
let next = 0;
async function read(): Promise<void> {
  const { value } = await reader.read();
  if (value?.output !== `alert ${next}`) throw new Error(`"${value?.output}" instead of ${next}`);
  next++;
}
for (let index = 0; index < 1000; index++) await read();
collect();
const before = process.memoryUsage().rss;
// Long enough for all that the server has to arrive, if anything took it.
let most = before;
for (let round = 0; round < 20; round++) {
  await setTimeout(50);
  most = Math.max(most, process.memoryUsage().rss);
}
const { received } = alerts.stats();
while (next < count) await read();
await reader.cancel();
await falco.close();
console.log(JSON.stringify({
  grownMb: Math.round((most - before) / 2 ** 20),
  receivedWhileStopped: received,
  total: alerts.stats().received,
}));
