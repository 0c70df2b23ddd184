/** A slow branch of a broadcast holds no more than its queue: measured, and in a heap too small for all. */
import assert from "node:assert/strict";
import { overflows } from "../../lib/streams/overflow.ts";

const COUNT = 200_000;
/** All items together have some 130 MB. */
const HEAP_MB = 60;

async function broadcast(overflow: string, count: number) {
  const root = new URL("../../", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      `--config=${root}deno.json`,
      `--v8-flags=--expose-gc,--max-old-space-size=${HEAP_MB}`,
      `${root}tests/deno/broadcast_heap.ts`,
      overflow,
      `${count}`,
    ],
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

for (const overflow of overflows) {
  Deno.test(`a slow branch of broadcastReadableStream() holds memory flat with "${overflow}"`, async () => {
    const { made, quickly, slowly, growthMb } = await broadcast(overflow, COUNT);
    assert.equal(made, COUNT);
    assert.equal(quickly, COUNT);
    // A thousand items wait, 0.7 MB; the rest is what the collector has left.
    assert(growthMb < 5, `${growthMb} MB more`);
    if (overflow === "block") assert(slowly >= COUNT - 1100, `${slowly} of ${COUNT} read`);
    else assert(slowly < COUNT / 2, `${slowly} of ${COUNT} read: the branch was not slow`);
  });
}

Deno.test("the same program with tee() holds nearly everything: it would show", async () => {
  const { growthMb } = await broadcast("tee", COUNT / 10);
  assert(growthMb > 8, `${growthMb} MB more`);
});
