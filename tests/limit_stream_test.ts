import assert from "node:assert/strict";
import { test } from "node:test";
import { BatchStream, compose, LimitStream, OperatorStream } from "../lib/streams/mod.ts";
import { outcome, probedSources, settled } from "./stream_probes.ts";

for (const source of probedSources) {
  test(`LimitStream on ${source.name} ends at once with the last item`, async () => {
    // The source hangs after it: waiting for another item would never end.
    const probe = source.make([1, 2], "hang");
    assert.deepEqual(await outcome(probe.stream.pipeThrough(new LimitStream(2))), {
      items: [1, 2],
    });
    await settled();
    assert.equal(probe.pulls, 2);
    assert.deepEqual(probe.reasons, [undefined]);
  });

  test(`LimitStream on ${source.name} ends early with the source`, async () => {
    const probe = source.make([1, 2]);
    assert.deepEqual(await outcome(probe.stream.pipeThrough(new LimitStream(3))), {
      items: [1, 2],
    });
    assert.deepEqual(probe.reasons, []);
  });

  test(`LimitStream of 0 on ${source.name} asks for nothing`, async () => {
    const alone = source.make([1, 2]);
    assert.deepEqual(await outcome(alone.stream.pipeThrough(new LimitStream(0))), { items: [] });
    await settled();
    assert.equal(alone.pulls, 0);
    assert.deepEqual(alone.reasons, [undefined]);

    const composed = source.make([1, 2]);
    const operator = compose(new LimitStream<number>(1), new LimitStream<number>(0));
    assert.deepEqual(await outcome(composed.stream.pipeThrough(operator)), { items: [] });
    await settled();
    assert.equal(composed.pulls, 0);
    assert.deepEqual(composed.reasons, [undefined]);
  });
}

test("LimitStream lets no item through after the last, even from a stage in a loop", async () => {
  const repeat = (): OperatorStream<number, number> =>
    new OperatorStream<number, number>((down) => ({
      push(item) {
        for (let times = 0; times < 5; times++) down.push(item);
      },
      end: () => down.end(),
    }));
  // In the middle of the input, and in what the stage above puts out at the end of it.
  for (const inputs of [[1, 2], [1, 2, 3]]) {
    const log: string[] = [];
    const spy = new OperatorStream<number, number>((down) => ({
      push(item) {
        log.push(`${item}`);
        return down.push(item);
      },
      end() {
        log.push("end");
        return down.end();
      },
    }));
    const flatten = new OperatorStream<number[], number>((down) => ({
      push: (items) => items.forEach((item) => void down.push(item)),
      end: () => down.end(),
    }));
    const batch = new BatchStream<number>(inputs.length === 2 ? 1 : 4);
    const probe = probedSources[0]!.make(inputs);
    const stream = probe.stream
      .pipeThrough(compose(batch, flatten, repeat(), new LimitStream<number>(3), spy));
    assert.deepEqual(await outcome(stream), { items: [1, 1, 1] });
    assert.deepEqual(log, ["1", "1", "1", "end"]);
  }
});

test("LimitStream ends a stage below that waits when it is done with the last item", async () => {
  const log: string[] = [];
  const slow = new OperatorStream<number, number>((down) => ({
    async push(item) {
      log.push(`begin ${item}`);
      await settled();
      log.push(`end ${item}`);
      await down.push(item);
    },
    end() {
      log.push("end");
      return down.end();
    },
  }));
  const probe = probedSources[0]!.make([1, 2, 3]);
  const stream = probe.stream.pipeThrough(compose(new LimitStream<number>(2), slow));
  assert.deepEqual(await outcome(stream), { items: [1, 2] });
  assert.deepEqual(log, ["begin 1", "end 1", "begin 2", "end 2", "end"]);
  await settled();
  assert.deepEqual(probe.reasons, [undefined]);
});

test("LimitStream refuses a count that is no whole number from 0", () => {
  for (const count of [-1, 1.5, NaN, Infinity, "2" as unknown as number]) {
    assert.throws(
      () => new LimitStream(count),
      new RangeError(
        `Cannot create LimitStream: "count" must be a whole number from 0: current value is "${count}"`,
      ),
    );
  }
});
