/** What consumers see of a chain: one table for every operator, source and path. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import {
  BatchStream,
  compose,
  EventStream,
  OperatorStream,
  SinkStream,
} from "../lib/streams/mod.ts";
import type { ItemSink } from "../lib/streams/mod.ts";
import { flatten, operatorCases } from "./operator_cases.ts";
import { paths } from "./stream_paths.ts";
import { outcome, probedSources, settled } from "./stream_probes.ts";

/** A sink that notes what happens to it. */
function notingSink(write: (item: number) => void | Promise<void> = () => {}) {
  const log: unknown[] = [];
  const functions: ItemSink<number> = {
    write(item) {
      log.push(item);
      return write(item);
    },
    close: () => void log.push("close"),
    abort: (reason) => void log.push(["abort", reason]),
  };
  return { log, sink: new SinkStream(functions) };
}

const ways = paths.flatMap((path) => probedSources.map((source) => ({ path, source })));

for (const { path, source } of ways) {
  for (const { name, make, losesOnError } of operatorCases) {
    const title = `${name} on ${source.name}, ${path.name}:`;
    const { through, to, items } = path;

    test(`${title} pipeTo() writes everything, closes, and unlocks both ends`, async () => {
      const { stream } = source.make([1, 2, 3]);
      const { log, sink } = notingSink();
      const piped = through(stream, make());
      const done = to(piped, sink);
      assert.equal(stream.locked && piped.locked && sink.locked, true);
      assert.throws(() => piped.getReader(), TypeError);
      assert.equal(await done, undefined);
      assert.deepEqual(log, [1, 2, 3, "close"]);
      assert.equal(stream.locked || piped.locked || sink.locked, false);
      assert.equal((await piped.getReader().read()).done, true);
      assert.equal((await stream.getReader().read()).done, true);
      await sink.getWriter().closed;
    });

    test(`${title} pipeTo() aborts the sink with the source's error`, async () => {
      const error = new Error("the source broke");
      const { stream } = source.make([1, 2], { error });
      const { log, sink } = notingSink();
      const piped = through(stream, make());
      await assert.rejects(to(piped, sink), (given) => given === error);
      if (!losesOnError) assert.deepEqual(log.slice(0, -1), [1, 2]);
      assert.deepEqual(log.at(-1), ["abort", error]);
      assert.equal(piped.locked || sink.locked, false);
      await assert.rejects(piped.getReader().read(), (given) => given === error);
      await assert.rejects(sink.getWriter().write(1), (given) => given === error);
    });

    test(`${title} pipeTo() cancels the source when the sink fails, and does not abort it`, async () => {
      const error = new Error("disk full");
      const probe = source.make([1, 2, 3, 4], "hang");
      const { log, sink } = notingSink(async (item) => {
        await settled();
        if (item === 2) throw error;
      });
      const piped = through(probe.stream, make());
      await assert.rejects(to(piped, sink), (given) => given === error);
      assert.deepEqual(log, [1, 2]);
      assert.equal(piped.locked || sink.locked, false);
      await settled();
      assert.equal(probe.reasons.length, 1);
      assert.equal(probe.reasons[0], error);
      await assert.rejects(sink.getWriter().closed, (given) => given === error);
    });

    test(`${title} pipeTo() with an aborted signal lets the write end, then aborts all`, async () => {
      const reason = { why: "stop" };
      for (const begin of ["before", "while a write is under way", "while the source hangs"]) {
        const probe = source.make([1], "hang");
        const gate = Promise.withResolvers<void>();
        const { log, sink } = notingSink(() =>
          begin === "while a write is under way" ? gate.promise : undefined
        );
        const abort = new AbortController();
        if (begin === "before") abort.abort(reason);
        const piped = through(probe.stream, make());
        const done = to(piped, sink, { signal: abort.signal });
        done.catch(() => {});
        await settled();
        abort.abort(reason);
        await settled();
        if (begin === "while a write is under way") assert.deepEqual(log, [1]);
        gate.resolve();
        await assert.rejects(done, (given) => given === reason);
        await settled();
        assert.deepEqual(log.at(-1), ["abort", reason]);
        assert.equal(log.length, begin === "before" ? 1 : 2);
        assert.equal(probe.reasons.length, 1);
        assert.equal(probe.reasons[0], reason);
        assert.equal(piped.locked || sink.locked, false);
      }
    });

    test(`${title} pipeTo() waits for each write`, async () => {
      const probe = source.make([1, 2, 3]);
      let writing = 0;
      const { log, sink } = notingSink(async () => {
        assert.equal(++writing, 1);
        await settled();
        writing--;
      });
      await to(through(probe.stream, make()), sink);
      assert.deepEqual(log, [1, 2, 3, "close"]);
    });

    test(`${title} for await with preventCancel leaves every other item to the next`, async () => {
      const probe = source.make([1, 2, 3, 4]);
      const stream = through(probe.stream, make());
      const first: number[] = [];
      for await (const item of items(stream, { preventCancel: true })) {
        first.push(item);
        if (item === 2) break;
      }
      assert.deepEqual(first, [1, 2]);
      assert.equal(stream.locked, false);
      await settled();
      assert.deepEqual(probe.reasons, []);
      assert.deepEqual(await outcome(through(stream, make())), { items: [3, 4] });
    });

    test(`${title} for await locks the stream, and unlocks it at the end and after an error`, async () => {
      const error = new Error("the source broke");
      for (const ending of losesOnError ? ["end" as const] : ["end" as const, { error }]) {
        const stream = through(source.make([1], ending).stream, make());
        const iterator = items(stream);
        assert.throws(() => stream.getReader(), TypeError);
        assert.deepEqual(await iterator.next(), { done: false, value: 1 });
        assert.equal(stream.locked, true);
        if (ending === "end") assert.equal((await iterator.next()).done, true);
        else await assert.rejects(iterator.next(), (given) => given === error);
        assert.equal(stream.locked, false);
        assert.deepEqual(await iterator.next(), { done: true, value: undefined });
        assert.deepEqual(await iterator.return?.(9), { done: true, value: 9 });
      }
    });

    test(`${title} next() calls at the same time are served in order`, async () => {
      const probe = source.make([1, 2]);
      const iterator = items(through(probe.stream, make()));
      const results = await Promise.all([iterator.next(), iterator.next(), iterator.next()]);
      assert.deepEqual(results.map(({ value }) => value), [1, 2, undefined]);
      const left = items(through(source.make([1, 2, 3]).stream, make()));
      const [one, gone, none] = await Promise.all([left.next(), left.return?.(7), left.next()]);
      assert.deepEqual([one?.value, gone?.value, none?.done], [1, 7, true]);
      const half = items(through(EventStream.from([1, 2, 3]), make()));
      await half.next();
      const [over, nothing] = await Promise.all([half.return?.(7), half.next()]);
      assert.deepEqual([over?.value, nothing.done], [7, true]);
    });

    test(`${title} tee() gives both branches everything`, async () => {
      const [left, right] = through(source.make([1, 2, 3]).stream, make()).tee();
      assert.deepEqual(await Promise.all([outcome(left), outcome(right)]), [
        { items: [1, 2, 3] },
        { items: [1, 2, 3] },
      ]);
    });

    test(`${title} goes into the body of a Response`, async () => {
      const bytes = new TransformStream<number, Uint8Array>({
        transform: (item, controller) => controller.enqueue(new Uint8Array([48 + item])),
      });
      const body = through(source.make([1, 2, 3]).stream, make()).pipeThrough(bytes);
      assert.equal(await new Response(body).text(), "123");
    });

    test(`${title} a timer above delivers while the source hangs`, async () => {
      const clock = new FakeClock();
      const batch = compose(
        new BatchStream<number>(9, { maxWaitMs: 50, clock }),
        new OperatorStream(flatten),
      );
      const iterator = items(through(through(source.make([1, 2], "hang").stream, batch), make()));
      const next = iterator.next();
      await settled();
      clock.advance(50);
      assert.equal((await next).value, 1);
      assert.equal((await iterator.next()).value, 2);
      await iterator.return?.();
      assert.equal(clock.pending, 0);
    });

    test(`${title} a timer below delivers while the source hangs`, async () => {
      const clock = new FakeClock();
      const batch = new BatchStream<number>(9, { maxWaitMs: 50, clock });
      const reader = through(through(source.make([1, 2], "hang").stream, make()), batch)
        .getReader();
      const read = reader.read();
      await settled();
      clock.advance(50);
      assert.deepEqual((await read).value, [1, 2]);
      await reader.cancel();
    });
  }
}
