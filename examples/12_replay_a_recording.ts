/**
 * A recorded incident, as it happened but 600 times as fast.
 *
 *     deno run --allow-net --allow-read --allow-write=/tmp examples/12_replay_a_recording.ts
 *
 * The recording is what `deno task record` writes, or Falco's own `file_output`. The command line
 * plays it, too: `deno task replay examples/incident.jsonl --speed 60`.
 */
import { connect } from "@falco-streams/core";
import { FakeFalco, openFixture } from "@falco-streams/core/harness";
import { fileURLToPath } from "node:url";

const recording = await openFixture(fileURLToPath(new URL("incident.jsonl", import.meta.url)));
const fake = await FakeFalco.start();
const falco = connect(fake.address);

const player = fake.play(recording.alerts(), { speed: 600, paused: true });
const started = performance.now();
await player.step(2); // two alerts at once: this is how to look around in an incident
player.resume(); // then on as it happened

let first: number | undefined;
for await (const alert of falco.outputs.subscribe()) {
  first ??= alert.time.seconds;
  const at = `+${alert.time.seconds - first} s`.padStart(7);
  console.log(at, alert.priority.padEnd(8), JSON.stringify(alert.rule));
  if (alert.rule === "Delete or rename shell history") break;
}
console.error(`${await player.done} alerts in ${Math.round(performance.now() - started)} ms`);

await falco.close();
await fake.stop();
