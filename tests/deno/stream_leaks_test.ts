/** Deno's sanitizers on: streams leave no timer, port or listener behind, whichever way they end. */
import assert from "node:assert/strict";
import { EventStream, FilterStream, LimitStream, SinkStream } from "../../lib/streams/mod.ts";

/** Numbers without an end, for so long that turns are given to others in between. */
function numbers(): EventStream<number> {
  return new EventStream<number>({ pull: () => [1, 2, 3], cancel() {} });
}
const busyFor = (ms: number): () => boolean => {
  const startedAt = performance.now();
  return () => performance.now() - startedAt < ms;
};
const keep = (): FilterStream<number> => new FilterStream<number>(() => true);

Deno.test("for await that is left leaves nothing behind", async () => {
  const busy = busyFor(30);
  for await (const _ of numbers().pipeThrough(keep())) if (!busy()) break;
});

Deno.test("pipeTo() that fails leaves nothing behind", async () => {
  const busy = busyFor(30);
  const write = (): void => {
    if (!busy()) throw new Error("enough");
  };
  await assert.rejects(numbers().pipeThrough(keep()).pipeTo(new SinkStream({ write })), /enough/);
});

Deno.test("a chain that ends early leaves nothing behind", async () => {
  const busy = busyFor(30);
  const none = new FilterStream<number>(() => !busy());
  assert.equal(
    (await Array.fromAsync(numbers().pipeThrough(none).pipeThrough(new LimitStream(1)))).length,
    1,
  );
});

Deno.test("a signal in the middle of a turn leaves nothing behind", async () => {
  const abort = new AbortController();
  const id = setInterval(() => abort.abort("now"), 5);
  const none = numbers().pipeThrough(new FilterStream<number>(() => false), abort);
  await assert.rejects(Array.fromAsync(none), (given) => given === "now");
  const again = new AbortController();
  const second = setInterval(() => again.abort("now"), 5);
  await assert.rejects(
    numbers().pipeTo(new SinkStream({ write() {} }), again),
    (given) => given === "now",
  );
  const reader = numbers().pipeThrough(new FilterStream<number>(() => false)).getReader();
  const third = setTimeout(() => reader.cancel(), 6);
  assert.equal((await reader.read()).done, true);
  clearInterval(id);
  clearInterval(second);
  clearTimeout(third);
});
