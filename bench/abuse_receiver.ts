/** The side of bench/abuse.ts that is abused: a process of its own, with a small heap. @module */
import process from "node:process";
import { fromJsonLines } from "../lib/sources/from_json_lines.ts";
import { HttpReceiver } from "../lib/sources/http_receiver.ts";

let peak = 0;
const look = () => void (peak = Math.max(peak, process.memoryUsage().rss));
const timer = setInterval(look, 20);

const lines = Number(process.argv[2]);
const piece = new TextEncoder().encode('{oops\nwhat?\n{"rule":7}\n\u0000\n'.repeat(250));
const alerts = fromJsonLines(ReadableStream.from((function* () {
  for (let done = 0; done < lines; done += 1000) yield piece;
})()));
for await (const _ of alerts);
console.log(JSON.stringify({ invalidLines: alerts.stats().invalid, peakMb: mb() }));

const folder = process.argv[3]!;
const receiver = await HttpReceiver.start({ port: 0 });
const tls = {
  cert: `${folder}/server.crt`,
  key: `${folder}/server.key`,
  clientCa: `${folder}/ca.crt`,
};
const guarded = await HttpReceiver.start({ port: 0, hostname: "localhost", tls });
console.log(receiver.url);
console.log(guarded.url);
process.stdin.once("data", () => void Promise.all([receiver.close(), guarded.close()]));
const rules = new Set<string>();
const [good, goodTls] = await Promise.all([receiver, guarded].map(async (alerts) => {
  let count = 0;
  for await (const { rule } of alerts) {
    rules.add(rule);
    count++;
  }
  return count;
}));
clearInterval(timer);
console.log(JSON.stringify({
  rules: [...rules],
  plain: { good, ...receiver.stats() },
  tls: { good: goodTls, ...guarded.stats() },
  peakMb: mb(),
}));
process.exit();

function mb(): number {
  look();
  return Math.round(peak / 1e6);
}
