import assert from "node:assert/strict";
import { test } from "node:test";
import { count, EventStream, first, forEach, toArray } from "../lib/streams/mod.ts";
import { probedSources, settled } from "./stream_probes.ts";

const terminals: {
  name: string;
  run: (stream: ReadableStream<number>, signal?: AbortSignal) => Promise<unknown>;
}[] = [
  { name: "toArray()", run: (stream, signal) => toArray(stream, { signal }) },
  { name: "count()", run: (stream, signal) => count(stream, { signal }) },
  { name: "first()", run: (stream, signal) => first(stream, { signal }) },
  { name: "forEach()", run: (stream, signal) => forEach(stream, () => {}, { signal }) },
];

for (const source of probedSources) {
  test(`toArray(), count() and first() of ${source.name}`, async () => {
    assert.deepEqual(await toArray(source.make([1, 2, 3]).stream), [1, 2, 3]);
    assert.equal(await count(source.make([1, 2, 3]).stream), 3);
    assert.deepEqual(await toArray(source.make([]).stream), []);
    assert.equal(await count(source.make([]).stream), 0);
    assert.equal(await first(source.make([]).stream), undefined);
    const probe = source.make([1, 2, 3], "hang");
    assert.equal(await first(probe.stream), 1);
    await settled();
    assert.equal(probe.pulls, 1);
    assert.deepEqual(probe.reasons, [undefined]);
  });

  for (const { name, run } of terminals) {
    test(`${name} of ${source.name} rejects with its error`, async () => {
      const error = new Error("the source broke");
      const probe = source.make<number>([], { error });
      await assert.rejects(run(probe.stream), (given) => given === error);
    });

    test(`${name} of ${source.name} is ended by a signal`, async () => {
      const reason = new Error("stop it");
      const abort = new AbortController();
      const probe = source.make<number>([], "hang");
      const done = run(probe.stream, abort.signal);
      done.catch(() => {});
      await settled();
      abort.abort(reason);
      await assert.rejects(done, (given) => given === reason);
      await settled();
      assert.deepEqual(probe.reasons, [reason]);
    });

    test(`${name} of ${source.name} rejects when the stream is locked`, async () => {
      const { stream } = source.make([1]);
      stream.getReader();
      await assert.rejects(run(stream), TypeError);
    });
  }

  test(`forEach() takes one item of ${source.name} at a time by default`, async () => {
    const probe = source.make([1, 2, 3]);
    const log: string[] = [];
    await forEach(probe.stream, async (n) => {
      log.push(`begin ${n}`);
      await settled();
      log.push(`end ${n}`);
    });
    assert.deepEqual(log, ["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"]);
  });

  test(`forEach() takes as many items of ${source.name} at a time as it may`, async () => {
    let running = 0;
    let most = 0;
    let seen = 0;
    const items = Array.from({ length: 10 }, (_, index) => index);
    await forEach(source.make(items).stream, async () => {
      most = Math.max(most, ++running);
      await settled();
      running--;
      seen++;
    }, { concurrency: 4 });
    assert.equal(most, 4);
    assert.equal(seen, 10);
    assert.equal(running, 0);
  });

  test(`forEach() cancels ${source.name} when its function fails`, async () => {
    const error = new Error("cannot do it");
    const failing: ((n: number) => Promise<void>)[] = [
      () => Promise.reject(error),
      () => {
        throw error;
      },
    ];
    for (const fn of failing) {
      for (const concurrency of [1, 3]) {
        const probe = source.make([1, 2], "hang");
        await assert.rejects(
          forEach(probe.stream, fn, { concurrency }),
          (given) => given === error,
        );
        await settled();
        assert.deepEqual(probe.reasons, [error]);
      }
    }
  });

  test(`forEach() of ${source.name} tells its function of the end by a signal`, async () => {
    const reason = new Error("stop it");
    const abort = new AbortController();
    let told: unknown;
    const done = forEach(source.make([1]).stream, (_, signal) => {
      signal.addEventListener("abort", () => told = signal.reason);
      return new Promise<void>(() => {});
    }, { signal: abort.signal });
    done.catch(() => {});
    await settled();
    abort.abort(reason);
    await assert.rejects(done, (given) => given === reason);
    assert.equal(told, reason);
  });
}

test("forEach() refuses what makes no sense and leaves the stream alone", async () => {
  const stream = EventStream.from([1]);
  await assert.rejects(forEach(stream, 5 as unknown as () => void), {
    name: "TypeError",
    message: 'Cannot run a function for each item: "fn" must be a function: current value is "5"',
  });
  await assert.rejects(forEach(stream, () => {}, { concurrency: 0 }), RangeError);
  assert.equal(stream.locked, false);
});

test("forEach() fails at once, without waiting for calls before the one that failed", async () => {
  const error = new Error("cannot do it");
  const fn = (n: number): Promise<void> =>
    n === 1 ? new Promise<void>(() => {}) : Promise.reject(error);
  const done = forEach(EventStream.from([1, 2]), fn, { concurrency: 2 });
  await assert.rejects(done, (given) => given === error);
});
