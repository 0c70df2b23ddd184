/** The operators of `replay`, on the time of the alerts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { replayPipeline } from "../cli/replay_pipeline.ts";
import { buildAlert } from "../harness/build_alert.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { EventStream } from "../lib/streams/engine/event_stream.ts";

const START = 1_767_225_600;
const at = (second: number, change: Partial<Alert> = {}): Alert =>
  buildAlert({ output: "the same", ...change, time: { seconds: START + second, nanos: 0 } });

type Options = Parameters<typeof replayPipeline>[1];

async function run(alerts: readonly Alert[], options: Partial<Options> = {}) {
  const { stream, dropped } = replayPipeline(EventStream.from(alerts), {
    minPriority: undefined,
    filter: undefined,
    dedupe: false,
    limit: undefined,
    batch: undefined,
    ...options,
  });
  const items = await Array.fromAsync(stream);
  const seconds = items.map((item) =>
    Array.isArray(item)
      ? (item as readonly Alert[]).map(({ time }) => time.seconds - START)
      : (item as Alert).time.seconds - START
  );
  return { seconds, dropped: dropped() };
}

describe("replayPipeline()", () => {
  it("lets a repetition through a minute after the first, by the time of the alerts", async () => {
    const { seconds, dropped } = await run([at(0), at(59), at(60), at(119), at(120)], {
      dedupe: true,
    });
    assert.deepEqual(seconds, [0, 60, 120]);
    assert.deepEqual(dropped, { duplicate: 2 });
  });

  it("takes alerts for the same by rule and message together", async () => {
    const { seconds } = await run([at(0), at(1, { rule: "another" }), at(2, { output: "else" })], {
      dedupe: true,
    });
    assert.deepEqual(seconds, [0, 1, 2]);
  });

  it("closes a batch when so much time has passed between alerts", async () => {
    const { seconds } = await run([at(0), at(4), at(5), at(6)], {
      batch: { size: 10, maxWaitMs: 5000 },
    });
    assert.deepEqual(seconds, [[0, 4], [5, 6]]);
  });

  it("applies priority, filter, dedupe and limit in this order", async () => {
    const alerts = [
      at(0, { priority: "debug" }),
      at(1, { priority: "error", rule: "left out" }),
      at(2, { priority: "error" }),
      at(3, { priority: "error" }),
      at(4, { priority: "error", output: "b" }),
      at(5, { priority: "error", output: "c" }),
    ];
    const { seconds, dropped } = await run(alerts, {
      minPriority: "warning",
      filter: ({ rule }) => rule !== "left out",
      dedupe: true,
      limit: 2,
    } as Partial<Options>);
    assert.deepEqual(seconds, [2, 4]);
    assert.deepEqual(dropped, { "below warning": 1, "not matched": 1, duplicate: 1 });
  });
});
