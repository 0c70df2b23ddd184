/**
 * The language of Falco's rules, for alerts: macros, lists, and what can only be a mistake.
 *
 *     deno run --allow-net --allow-read --allow-write=/tmp examples/04_filter_with_a_condition.ts
 */
import { compileCondition, connect, field, FilterStream } from "@falco-streams/core";
import { FakeFalco, scenarios } from "@falco-streams/core/harness";

const wanted = compileCondition(
  "alert.priority >= notice and not ours and (proc.name in (tools) or fd.name startswith /etc)",
  {
    lists: { tools: ["ncat", "curl", "xmrig"] },
    macros: { ours: "container.name = backup or user.name = ansible" },
  },
);
for (const warning of wanted.warnings) console.error(warning);

const fake = await FakeFalco.start();
await fake.replay(scenarios.shellInContainer);
await fake.replay(scenarios.cryptoMiner);

const falco = connect(fake.address);
for await (const alert of falco.outputs.get().pipeThrough(new FilterStream(wanted))) {
  console.log(alert.priority, JSON.stringify([alert.rule, field(alert, "proc.name")]));
}

await falco.close();
await fake.stop();
