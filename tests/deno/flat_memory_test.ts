/** A file far larger than the heap replays: whatever held on to alerts would run out of memory. */
import assert from "node:assert/strict";
import { createWriteStream } from "node:fs";
import { buildAlert } from "../../harness/build_alert.ts";
import { makeTempFolder } from "../../harness/temp_folder.ts";
import { formatAlert } from "../../lib/alert/format_alert.ts";
import { denoFlags } from "../run_cli.ts";

const COUNT = 200_000;
/**
 * The file has 75 MB, and its alerts far more once they are objects; the program and its libraries
 * alone need about 25. With much less, it is the collector that takes most of the time.
 */
const HEAP_MB = 100;

async function replay(
  args: readonly string[],
): Promise<{ code: number; lines: number; text: string }> {
  const root = new URL("../../", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      `--config=${root}deno.json`,
      `--v8-flags=--max-old-space-size=${HEAP_MB}`,
      ...denoFlags["replay"]!,
      `${root}cli/main.ts`,
      "replay",
      ...args,
    ],
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const text = new Response(child.stderr).text();
  let lines = 0;
  for await (const chunk of child.stdout) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
  }
  return { code: (await child.status).code, lines, text: await text };
}

Deno.test("replay of 200,000 alerts fits into a small heap, and --limit stops it early", async () => {
  const folder = await makeTempFolder();
  try {
    const path = `${folder.path}/large.jsonl`;
    const file = createWriteStream(path);
    const line = `${formatAlert(buildAlert())}\n`;
    for (let count = 0; count < COUNT; count += 1000) {
      if (!file.write(line.repeat(1000))) {
        await new Promise<void>((resolve) => file.once("drain", () => resolve()));
      }
    }
    await new Promise<void>((resolve) => file.end(() => resolve()));

    const all = await replay([path, "--format", "json"]);
    assert.equal(all.code, 0, all.text);
    assert.equal(all.lines, COUNT);
    assert.match(all.text, /200,?000 in, 200,?000 out/);

    const few = await replay([path, "--format", "json", "--limit", "5"]);
    assert.equal(few.code, 0, few.text);
    assert.equal(few.lines, 5);
  } finally {
    await folder.remove();
  }
});
