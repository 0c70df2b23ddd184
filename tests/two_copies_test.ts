/** Two copies of this package in one program: their streams, operators and sinks mix. */
import assert from "node:assert/strict";
import { cpSync, existsSync, rmSync, symlinkSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as ours from "../lib/streams/mod.ts";
import { outcome, settled } from "./stream_probes.ts";

/** Loads the library once more, from another place. */
async function loadCopy(): Promise<typeof ours> {
  const folder = await mkdtemp(join(tmpdir(), "two-copies-"));
  const root = fileURLToPath(new URL("..", import.meta.url));
  try {
    cpSync(join(root, "lib"), join(folder, "lib"), { recursive: true });
    cpSync(join(root, "gen"), join(folder, "gen"), { recursive: true });
    // Where packages come from on Node and Bun; Deno finds them by its configuration.
    const packages = join(root, "node_modules");
    if (existsSync(packages)) symlinkSync(packages, join(folder, "node_modules"), "junction");
    return await import(pathToFileURL(join(folder, "lib", "streams", "mod.ts")).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const theirs = await loadCopy();

test("the copy is another one", () => {
  assert.notEqual(theirs.EventStream, ours.EventStream);
});

for (const [first, second] of [[ours, theirs], [theirs, ours]] as const) {
  const way = first === ours ? "theirs in ours" : "ours in theirs";

  test(`two copies: operators and sinks of ${way} run fused`, async () => {
    const asked: number[] = [];
    const written: number[][] = [];
    const stream = first.EventStream.from([1, 2, 3, 4, 5]);
    const operator = new second.FilterStream<number>((n) => asked.push(n) > 0);
    const piped = stream.pipeThrough(operator);
    assert.equal(piped, operator.readable);
    const batches = piped
      .pipeThrough(new first.MapStream((n) => 2 * n))
      .pipeThrough(new second.BatchStream<number>(2));
    const sink = new second.SinkStream<number[]>({
      write(items) {
        if (written.length === 0) assert.equal(asked.length, 5);
        written.push(items);
      },
    });
    await batches.pipeTo(sink);
    assert.deepEqual(written, [[2, 4], [6, 8], [10]]);
    assert.equal(sink.locked, false);
    await sink.getWriter().closed;
    assert.throws(() => stream.pipeThrough(operator), second.FalcoClosedError);
  });

  test(`two copies: errors, reasons and early ends go through ${way}`, async () => {
    const reasons: unknown[] = [];
    const chain = (operator: ours.OperatorStream<number, number>): ReadableStream<number> => {
      const source = {
        pull: () => [1, 2, 3],
        cancel: (given: unknown) => void reasons.push(given),
      };
      return new first.EventStream<number>(source)
        .pipeThrough(new second.FilterStream<number>(() => true))
        .pipeThrough(operator as typeof operator & ours.OperatorStream<number, number>);
    };
    const limit = new second.LimitStream<number>(2) as unknown as ours.OperatorStream<
      number,
      number
    >;
    assert.deepEqual(await outcome(chain(limit)), { items: [1, 2] });
    const error = new Error("refused");
    const refuse = new first.MapStream((n: number) => {
      if (n === 2) throw error;
      return n;
    }) as unknown as ours.OperatorStream<number, number>;
    assert.deepEqual(await outcome(chain(refuse)), { items: [1], error });
    await settled();
    assert.deepEqual(reasons, [undefined, error]);
  });

  test(`two copies: a buffer and a timeout of ${way} run between fused chains`, async () => {
    type Numbers = ours.OperatorStream<number, number>;
    const seen: number[] = [];
    const stream = new first.EventStream<number>({ pull: () => [1, 2, 3], cancel() {} })
      .pipeThrough(new first.TapStream<number>((n) => void seen.push(n)))
      .pipeThrough(new second.TimeoutStream<number>(60_000) as unknown as Numbers);
    const reader = stream.pipeThrough(new first.MapStream((n) => 2 * n))
      .pipeThrough(new second.BufferStream<number>(1) as unknown as Numbers).getReader();
    assert.equal((await reader.read()).value, 2);
    assert.deepEqual(seen.slice(0, 3), [1, 2, 3]);
    assert.equal((await reader.read()).value, 4);
    await reader.cancel();
    const composed = (first as typeof ours).compose(
      new second.BufferStream<number>(5) as unknown as Numbers,
      new first.LimitStream<number>(2) as unknown as Numbers,
    );
    const limited = first.EventStream.from([1, 2, 3]).pipeThrough(composed);
    assert.deepEqual(await outcome(limited), { items: [1, 2] });
  });

  test(`two copies: compose() takes operators of ${way}`, async () => {
    const foreign = new second.MapStream((n: number) => n + 1) as unknown as ours.OperatorStream<
      number,
      number
    >;
    const operator = (first as typeof ours).compose(
      foreign,
      new first.FilterStream((n: number) => n > 2) as unknown as ours.OperatorStream<
        number,
        number
      >,
    );
    assert.deepEqual(await outcome(first.EventStream.from([1, 2]).pipeThrough(operator)), {
      items: [3],
    });
  });
}
