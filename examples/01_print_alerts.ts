/**
 * Prints alerts as they are raised.
 *
 *     deno run --allow-net --allow-read --allow-write=/tmp examples/01_print_alerts.ts
 *
 * Runs against a fake Falco. For a real one, leave the two lines with `fake` out and write
 * `connect("unix:///run/falco/falco.sock")`.
 */
import { connect, field, messageOf } from "@falco-streams/core";
import { FakeFalco, scenarios } from "@falco-streams/core/harness";

const fake = await FakeFalco.start();
await fake.replay(scenarios.shellInContainer);

const falco = connect(fake.address);
const { version, engineVersion } = await falco.version();
console.log(`Falco ${version}, engine ${engineVersion}`);

let count = 0;
for await (const alert of falco.outputs.subscribe()) {
  // JSON.stringify keeps terminal escapes that an attacker planted from reaching the terminal.
  console.log(alert.priority, JSON.stringify(messageOf(alert)), field(alert, "proc.name"));
  if (++count === 10) break; // cancels the call
}

await falco.close();
await fake.stop();
