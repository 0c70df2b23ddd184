import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { DeliveryQueue } from "../lib/sinks/delivery_queue.ts";
import type { Delivery } from "../lib/sinks/delivery_queue.ts";
import { DeliveryError, EventStream, SinkStream } from "../mod.ts";
import type { Alert, Delivered, DeliveryOptions, DropReason } from "../mod.ts";
import { settled } from "./stream_probes.ts";

const alerts = (count: number): Alert[] =>
  Array.from({ length: count }, (_, index) => buildAlert({ rule: `${index}` }));
const ruleOf = (item: Delivered): string => (item as Alert).rule;

/** A way that does what a test says, and keeps what it was asked. */
class Way implements Delivery {
  readonly maxItems: number;
  /** Rules, an entry a delivery. */
  readonly log: string[] = [];
  ended = 0;
  #answers: (() => void | Promise<void>)[];

  constructor(answers: (() => void | Promise<void>)[] = [], maxItems = 1) {
    this.#answers = answers;
    this.maxItems = maxItems;
  }

  async deliver(items: readonly Delivered[], signal: AbortSignal): Promise<void> {
    this.log.push(items.map(ruleOf).join("+"));
    const late = new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("late")), { once: true });
    });
    late.catch(() => {});
    await Promise.race([this.#answers.shift()?.(), late]);
  }

  end(): void {
    this.ended++;
  }
}

const never = (): Promise<void> => new Promise(() => {});
const busy = (): DeliveryError => new DeliveryError("busy", { mayPass: true });
const passing = (): never => {
  throw busy();
};
const final = (): never => {
  throw new DeliveryError("no", { mayPass: false });
};

function sinkOver(
  way: Delivery,
  options: DeliveryOptions = {},
): { sink: SinkStream<Delivered>; queue: DeliveryQueue } {
  const queue = new DeliveryQueue(way, options);
  return { sink: new SinkStream<Delivered>(queue), queue };
}

describe("DeliveryQueue", () => {
  it("lets go of everything when it fails, with what waits counted and on record", async () => {
    let fail: (error: Error) => void = () => {};
    const way = new Way([() => new Promise((_resolve, reject) => fail = reject)]);
    const dead: string[] = [];
    let closed = false;
    const dropped: [string, DropReason][] = [];
    const { sink, queue } = sinkOver(way, {
      onDrop: (item, reason) => dropped.push([ruleOf(item), reason]),
      deadLetters: new SinkStream<Delivered>({
        write: (item) => void dead.push(ruleOf(item)),
        close: () => void (closed = true),
      }),
    });
    const writer = sink.getWriter();
    writer.closed.catch(() => {});
    for (const alert of alerts(3)) await writer.write(alert);
    fail(new Error("broken"));
    await settled();
    assert.equal(way.ended, 1);
    assert.deepEqual(dead, ["0", "1", "2"]);
    assert.deepEqual(dropped, [["0", "aborted"], ["1", "aborted"], ["2", "aborted"]]);
    assert(closed);
    assert.deepEqual(queue.stats(), {
      delivered: 0,
      retries: 0,
      dropped: { aborted: 3 },
      waiting: 0,
    });
    await assert.rejects(writer.write(alerts(1)[0]!), /broken/);
    assert.equal(way.ended, 1);
  });

  it("lets go of everything when a hook fails while an alert is written", async () => {
    const way = new Way([never]);
    const dead: string[] = [];
    const mine = new Error("mine");
    const { sink, queue } = sinkOver(way, {
      maxBuffered: 2,
      overflow: "drop-newest",
      onDrop(item) {
        if (ruleOf(item) !== "1") throw mine;
      },
      deadLetters: new SinkStream<Delivered>({ write: (item) => void dead.push(ruleOf(item)) }),
    });
    const writer = sink.getWriter();
    writer.closed.catch(() => {});
    const [zero, one, two] = alerts(3);
    await writer.write(zero!);
    await writer.write(one!);
    await assert.rejects(writer.write(two!), mine);
    assert.equal(way.ended, 1);
    assert.deepEqual(dead, ["2", "0", "1"], "what a hook throws keeps none from the record");
    assert.deepEqual(queue.stats().dropped, { overflow: 1, aborted: 2 });
  });

  it("goes at the receiver's pace, and holds nobody up while that takes nothing, if drops are heard of", async () => {
    for (const isHeardOf of [true, false]) {
      let refuse: () => void = () => {};
      const clock = new FakeClock();
      const way = new Way([
        () => new Promise((_resolve, reject) => refuse = () => reject(busy())),
      ]);
      const lost: [string, DropReason][] = [];
      const { sink, queue } = sinkOver(way, {
        clock,
        maxBuffered: 2,
        ...(isHeardOf ? { onDrop: (item, reason) => lost.push([ruleOf(item), reason]) } : {}),
      });
      const writer = sink.getWriter();
      let written = 0;
      for (const alert of alerts(4)) void writer.write(alert).then(() => written++);
      await settled();
      assert.equal(written, 1, "it may take long, but it takes alerts");
      refuse();
      await settled();
      assert.equal(written, isHeardOf ? 4 : 1);
      assert.equal(queue.stats().waiting, 2);
      clock.advance(250);
      await writer.close();
      const dropped = isHeardOf ? ["1", "2"] : [];
      assert.deepEqual(lost, dropped.map((rule) => [rule, "overflow"]));
      const delivered = ["0", "1", "2", "3"].filter((rule) => !dropped.includes(rule));
      assert.deepEqual(way.log, ["0", ...delivered]);
      assert.equal(clock.pending, 0);
    }
  });

  it("can be aborted while it holds the pipeline up, by the sink or by the signal", async () => {
    const reason = new Error("enough");
    for (const byHand of [true, false]) {
      const way = new Way([never]);
      const { sink, queue } = sinkOver(way, { maxBuffered: 2 });
      if (byHand) {
        const writer = sink.getWriter();
        writer.closed.catch(() => {});
        const writes = alerts(3).map((alert) => writer.write(alert).catch((error) => error));
        await settled();
        await writer.abort(reason);
        assert.equal(await writes[0], undefined);
        assert.equal(await writes[2], reason);
      } else {
        const stop = new AbortController();
        const piping = EventStream.from(alerts(3)).pipeTo(sink, { signal: stop.signal });
        await settled();
        stop.abort(reason);
        await assert.rejects(piping, reason);
      }
      assert.equal(way.ended, 1);
      assert.deepEqual(queue.stats().dropped, { aborted: 2 });
    }
  });

  it("can be aborted while it waits to try again", async () => {
    const clock = new FakeClock();
    const way = new Way([passing]);
    const { sink, queue } = sinkOver(way, { clock });
    const writer = sink.getWriter();
    writer.closed.catch(() => {});
    await writer.write(alerts(1)[0]!);
    await settled();
    assert.equal(clock.pending, 1);
    await writer.abort();
    assert.equal(clock.pending, 0);
    assert.deepEqual(queue.stats().dropped, { aborted: 1 });
  });

  it("delivers several at once where the way takes them, and tries the same again", async () => {
    let release: () => void = () => {};
    const clock = new FakeClock();
    const way = new Way(
      [() => new Promise<void>((resolve) => release = resolve), passing],
      3,
    );
    const { sink, queue } = sinkOver(way, {
      clock,
      onRetry: (_error, _attempt, delayMs) => setImmediate(() => clock.advance(delayMs)),
    });
    const writer = sink.getWriter();
    for (const alert of alerts(6)) await writer.write(alert);
    release();
    await writer.close();
    assert.deepEqual(way.log, ["0", "1+2+3", "1+2+3", "4+5"]);
    assert.deepEqual(queue.stats(), { delivered: 6, retries: 1, dropped: {}, waiting: 0 });
    assert.equal(way.ended, 1);
  });

  it("drops none of those on their way for newer ones", async () => {
    let release: () => void = () => {};
    const way = new Way([
      () => {},
      () => new Promise<void>((resolve) => release = resolve),
    ], 2);
    const dropped: string[] = [];
    const { sink } = sinkOver(way, {
      maxBuffered: 3,
      overflow: "drop-oldest",
      onDrop: (item) => dropped.push(ruleOf(item)),
    });
    const writer = sink.getWriter();
    const [first, ...rest] = alerts(7);
    await writer.write(first!);
    await settled();
    await Promise.all(rest.slice(0, 2).map((alert) => writer.write(alert)));
    await settled();
    for (const alert of rest.slice(2)) await writer.write(alert);
    release();
    await writer.close();
    assert.deepEqual(dropped.length + way.log.join("+").split("+").length, 7);
    const underWay = way.log[1]!.split("+");
    assert(!dropped.some((rule) => underWay.includes(rule)), `${dropped} of ${way.log}`);
    assert.equal(way.log.at(-1)!.split("+").at(-1), "6");
  });

  it("gives up all that were refused together", async () => {
    const dropped: [string, DropReason][] = [];
    let release: () => void = () => {};
    const way = new Way([() => new Promise<void>((resolve) => release = resolve), final], 2);
    const { sink } = sinkOver(way, {
      onDrop: (item, reason) => dropped.push([ruleOf(item), reason]),
    });
    const writer = sink.getWriter();
    for (const alert of alerts(4)) await writer.write(alert);
    release();
    await writer.close();
    assert.deepEqual(way.log, ["0", "1+2", "3"]);
    assert.deepEqual(dropped, [["1", "refused"], ["2", "refused"]]);
  });

  it("fails with what goes wrong at the end", async () => {
    const mine = new Error("not written after all");
    const { sink } = sinkOver({
      deliver: () => Promise.resolve(),
      end() {
        throw mine;
      },
    });
    await assert.rejects(EventStream.from(alerts(1)).pipeTo(sink), mine);
  });

  it("says at the end that no time is left", async () => {
    const clock = new FakeClock();
    const seen: boolean[] = [];
    const { sink } = sinkOver({
      deliver: () => Promise.resolve(),
      async end(signal) {
        seen.push(signal.aborted);
        setImmediate(() => clock.advance(1000));
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      },
    }, { clock, closeTimeoutMs: 1000 });
    await EventStream.from(alerts(1)).pipeTo(sink);
    assert.deepEqual(seen, [false]);
    assert.equal(clock.pending, 0);
  });
});
