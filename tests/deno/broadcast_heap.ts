/** A program that broadcasts many items to a fast and a slow reader, and prints what it holds. */
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import { broadcastReadableStream, EventStream, OverflowError } from "../../lib/streams/mod.ts";
import type { Overflow } from "../../lib/streams/mod.ts";

const [overflow, count] = [process.argv[2] as Overflow | "tee", Number(process.argv[3])];
const { gc } = globalThis as unknown as { gc: () => void };

/** Half a kilobyte that no other item shares. */
const makeItem = (n: number) => ({ n, text: `${n} `.repeat(100).slice(0, 500) });

async function heapMb(): Promise<number> {
  await setImmediate();
  gc();
  return process.memoryUsage().heapUsed / 1e6;
}

let made = 0;
const source = new EventStream<ReturnType<typeof makeItem>>({
  pull: () => made >= count ? null : Array.from({ length: 16 }, () => makeItem(made++)),
  cancel() {},
});
const [fast, slow] = overflow === "tee"
  ? source.tee()
  : broadcastReadableStream(source, 2, { overflow, capacity: 1000 });
const before = await heapMb();
let most = 0;
let slowly = 0;
async function readSlowly(): Promise<void> {
  // With "block" nobody is faster than the slowest: it reads as many in a turn as keep the test short.
  const perTurn = overflow === "block" ? 64 : 1;
  for await (const _ of slow!) if (++slowly % perTurn === 0) await setImmediate();
}
void readSlowly().catch((error) => {
  if (!(error instanceof OverflowError)) throw error;
});
let quickly = 0;
for await (const _ of fast!) {
  if (++quickly % (count / 4) === 0) most = Math.max(most, await heapMb() - before);
}
process.stdout.write(JSON.stringify({ made, quickly, slowly, growthMb: most }));
process.exit();
