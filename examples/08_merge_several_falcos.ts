/**
 * The Falcos of several hosts as one stream, which goes on when one of them fails for good.
 *
 *     deno run --allow-net --allow-read --allow-write=/tmp examples/08_merge_several_falcos.ts
 */
import { connect, LimitStream, MapStream, mergeReadableStreams } from "@falco-streams/core";
import { buildAlert, FakeFalco } from "@falco-streams/core/harness";

const hosts = ["web-1", "web-2", "db-1"];
const fakes = await Promise.all(hosts.map(() => FakeFalco.start()));
for (const [index, host] of hosts.entries()) {
  const rules = ["Terminal shell in container", "Read sensitive file untrusted"];
  fakes[index]!.push(...rules.map((rule) => buildAlert({ rule, hostname: host })));
}

const clients = fakes.map((fake) => connect(fake.address));
const streams = clients.map((falco, index) =>
  falco.outputs.subscribe({ reconnect: { maxAttempts: 3, minDelayMs: 20, maxDelayMs: 50 } })
    .pipeThrough(new MapStream((alert) => ({ from: hosts[index]!, alert })))
);
const merged = mergeReadableStreams(streams, {
  onError(_error, index) {
    console.log(`${hosts[index]} is gone`);
    for (const fake of fakes.slice(0, 2)) fake.push(buildAlert({ rule: "Clear Log Activities" }));
    return "drop-source";
  },
});

let count = 0;
// Without a limit it goes on for as long as one of them does.
for await (const { from, alert } of merged.pipeThrough(new LimitStream(8))) {
  console.log(from, JSON.stringify(alert.rule));
  if (++count === 6) await fakes[2]!.kill(); // one host dies, and raises no more alerts
}

await Promise.all(clients.map((falco) => falco.close()));
// Also of the one that is dead: like a Falco, it has left its socket behind.
await Promise.all(fakes.map((fake) => fake[Symbol.asyncDispose]()));
