/**
 * A Falco without gRPC, 0.44 or later: its file of alerts, over a rotation and over a restart of this
 * program, with no alert lost and none twice.
 *
 *     deno run --allow-read --allow-write=/tmp examples/13_follow_a_file.ts
 */
import { followFile, formatAlert } from "@falco-streams/core";
import type { FilePosition } from "@falco-streams/core";
import { buildAlert, makeTempFolder } from "@falco-streams/core/harness";
import { appendFile, readFile, rename, writeFile } from "node:fs/promises";

const folder = await makeTempFolder();
const log = `${folder.path}/falco.json`; // falco.yaml: json_output: true, file_output.filename
const saved = `${folder.path}/position.json`;
const raise = (rule: string) => appendFile(log, `${formatAlert(buildAlert({ rule }))}\n`);

/** What runs as a service: deals with alerts until told to stop, and remembers how far it came. */
async function run(from: "start" | FilePosition, count: number): Promise<void> {
  const alerts = followFile(log, {
    from,
    pollMs: 20,
    onStatus: ({ type }) => console.log(`(${type})`),
  });
  for await (const alert of alerts) {
    console.log(alert.rule);
    // After the alert is dealt with: a crash before this line repeats it, and loses none.
    await writeFile(saved, JSON.stringify(alerts.position(alert)));
    if (--count === 0) break; // closes the file
  }
}

for (const rule of ["one", "two", "three"]) await raise(rule);
await run("start", 2);

// While it is away Falco goes on, and logrotate comes by.
await rename(log, `${log}.1`);
await raise("four");

await run(JSON.parse(await readFile(saved, "utf8")), 2);
await folder.remove();
