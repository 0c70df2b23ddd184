/** What a chain of operators costs, beside the platform's transforms and beside no streams at all. @module */
import { expandScenario } from "../harness/expand_scenario.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { BatchStream } from "../lib/streams/batch_stream.ts";
import type { BatchSource } from "../lib/streams/engine/batch_source.ts";
import { EventStream } from "../lib/streams/engine/event_stream.ts";
import type { OperatorStream } from "../lib/streams/engine/operator_stream.ts";
import { SinkStream } from "../lib/streams/engine/sink_stream.ts";
import { FilterStream } from "../lib/streams/filter_stream.ts";
import { MapStream } from "../lib/streams/map_stream.ts";
import { compare } from "./compare.ts";
import type { Rival } from "./compare.ts";

const PER_PULL = 64;
const PULLS = 1000;
const BATCH = 100;
/** The fast ones run more often, or their rounds would be over before the clock has moved. */
const FAST_RUNS = 10;

/** What becomes of an alert: plain, so that the streams are measured and not the work. */
interface Row {
  readonly rule: string;
  readonly host: string;
  readonly seconds: number;
  readonly text: string;
  size: number;
}
const isUrgent = (alert: Alert): boolean => alert.priority !== "debug";
const toRow = ({ rule, hostname, time, output }: Alert): Row => ({
  rule,
  host: hostname,
  seconds: time.seconds,
  text: output,
  size: rule.length,
});
const hasRule = (row: Row): boolean => row.rule !== "";
const addHost = (row: Row): Row => (row.size += row.host.length, row);
const hasTime = (row: Row): boolean => row.seconds > 0;
const addText = (row: Row): Row => (row.size += row.text.length, row);
const hasText = (row: Row): boolean => row.text !== "";
const addOne = (row: Row): Row => (row.size++, row);

/** A step of a chain. */
// deno-lint-ignore no-explicit-any
type Step = { readonly filter: (item: any) => boolean } | { readonly map: (item: any) => unknown };
const steps: readonly Step[] = [
  { filter: isUrgent },
  { map: toRow },
  { filter: hasRule },
  { map: addHost },
  { filter: hasTime },
  { map: addText },
  { filter: hasText },
  { map: addOne },
];
/** The same chains as one would write them without any library. */
const loops: Record<number, (alert: Alert, add: (size: number) => void) => void> = {
  1(alert, add) {
    if (isUrgent(alert)) add(alert.rule.length);
  },
  3(alert, add) {
    if (!isUrgent(alert)) return;
    const row = toRow(alert);
    if (hasRule(row)) add(row.size);
  },
  8(alert, add) {
    if (!isUrgent(alert)) return;
    let row = toRow(alert);
    if (!hasRule(row)) return;
    row = addHost(row);
    if (!hasTime(row)) return;
    row = addText(row);
    if (hasText(row)) add(addOne(row).size);
  },
};

/** A chain of closures, each calling the next: composable, but nobody can make it wait. */
// deno-lint-ignore no-explicit-any
type Push = (item: any) => void;
const pushed = (step: Step, next: Push): Push =>
  "filter" in step
    ? (item) => {
      if (step.filter(item)) next(item);
    }
    : (item) => next(step.map(item));

/** Filter, map and batch to each kind of end, and chains of 1, 3 and 8 operators. */
export async function benchStreams(): Promise<void> {
  const alerts = Object.values(scenarios).flatMap((scenario) => [...expandScenario(scenario)]);
  const pulls = Array.from(
    { length: 16 },
    (_, pull) =>
      Array.from({ length: PER_PULL }, (_, index) => alerts[(pull * 31 + index) % alerts.length]!),
  );
  await compare("Filter, map, batch of 100; 64 alerts a pull", filterMapBatch(pulls));
  for (const length of [1, 3, 8]) {
    await compare(`A chain of ${length} filters and maps; 64 alerts a pull`, chains(pulls, length));
  }
}

function filterMapBatch(pulls: readonly Alert[][]): Rival[] {
  const fused = (): ReadableStream<Row[]> =>
    new EventStream(sourceOf(pulls))
      .pipeThrough(new FilterStream(isUrgent))
      .pipeThrough(new MapStream(toRow))
      .pipeThrough(new BatchStream(BATCH));
  return [
    fast("fused, pipeTo(SinkStream)", async (add) => {
      await fused().pipeTo(new SinkStream({ write: (rows) => add(sizeOf(rows)) }));
    }),
    fast("fused, pipeTo(WritableStream)", async (add) => {
      await fused().pipeTo(new WritableStream({ write: (rows) => add(sizeOf(rows)) }));
    }),
    fast("fused, for await", async (add) => {
      for await (const rows of fused()) add(sizeOf(rows));
    }),
    rival("native TransformStreams", 1, async (add) => {
      let rows: Row[] = [];
      await nativeSource(pulls)
        .pipeThrough(transform(steps[0]!))
        .pipeThrough(transform(steps[1]!))
        .pipeThrough(
          new TransformStream<Row, Row[]>({
            transform(row, controller) {
              if (rows.push(row) < BATCH) return;
              controller.enqueue(rows);
              rows = [];
            },
            flush: (controller) => controller.enqueue(rows),
          }),
        )
        .pipeTo(new WritableStream({ write: (rows) => add(sizeOf(rows)) }));
    }),
    fast("closures that push", async (add) => {
      let rows: Row[] = [];
      const push = pushed(
        steps[0]!,
        pushed(steps[1]!, (row: Row) => {
          if (rows.push(row) < BATCH) return;
          add(sizeOf(rows));
          rows = [];
        }),
      );
      await forEachPull(pulls, push);
      add(sizeOf(rows));
    }),
    fast("a loop", async (add) => {
      let rows: Row[] = [];
      await forEachPull(pulls, (alert) => {
        if (!isUrgent(alert)) return;
        if (rows.push(toRow(alert)) < BATCH) return;
        add(sizeOf(rows));
        rows = [];
      });
      add(sizeOf(rows));
    }),
  ];
}

function chains(pulls: readonly Alert[][], length: number): Rival[] {
  const chosen = steps.slice(0, length);
  // deno-lint-ignore no-explicit-any
  const size = (item: any): number => item.size ?? item.rule.length;
  const fused = (): ReadableStream<unknown> =>
    chosen.reduce<ReadableStream<unknown>>(
      (stream, step) => stream.pipeThrough(operator(step)),
      new EventStream(sourceOf(pulls)),
    );
  return [
    fast("fused, pipeTo(SinkStream)", async (add) => {
      await fused().pipeTo(new SinkStream({ write: (item) => add(size(item)) }));
    }),
    fast("fused, for await", async (add) => {
      for await (const item of fused()) add(size(item));
    }),
    rival("native TransformStreams", 1, async (add) => {
      await chosen.reduce<ReadableStream<unknown>>(
        (stream, step) => stream.pipeThrough(transform(step)),
        nativeSource(pulls),
      ).pipeTo(new WritableStream({ write: (item) => add(size(item)) }));
    }),
    fast("closures that push", async (add) => {
      const end: Push = (item) => add(size(item));
      await forEachPull(pulls, chosen.reduceRight((next, step) => pushed(step, next), end));
    }),
    fast("a loop", async (add) => {
      const loop = loops[length]!;
      await forEachPull(pulls, (alert) => loop(alert, add));
    }),
  ];
}

const fast = (name: string, run: (add: (size: number) => void) => Promise<void>): Rival =>
  rival(name, FAST_RUNS, run);

function rival(
  name: string,
  runs: number,
  run: (add: (size: number) => void) => Promise<void>,
): Rival {
  return {
    name,
    async run() {
      let digest = 0;
      for (let count = 0; count < runs; count++) await run((size) => digest += size);
      return { operations: runs * PULLS * PER_PULL, digest: digest / runs };
    },
  };
}

function sizeOf(rows: readonly Row[]): number {
  let size = 0;
  for (const row of rows) size += row.size;
  return size;
}

function sourceOf(pulls: readonly Alert[][]): BatchSource<Alert> {
  let count = 0;
  return {
    pull: () => Promise.resolve(count < PULLS ? pulls[count++ % pulls.length]! : null),
    cancel() {},
  };
}

function nativeSource(pulls: readonly Alert[][]): ReadableStream<Alert> {
  const source = sourceOf(pulls);
  return new ReadableStream<Alert>({
    async pull(controller) {
      const batch = await source.pull();
      if (batch === null) controller.close();
      else for (const alert of batch) controller.enqueue(alert);
    },
  }, { highWaterMark: 0 });
}

async function forEachPull(pulls: readonly Alert[][], push: (alert: Alert) => void): Promise<void> {
  const source = sourceOf(pulls);
  for (;;) {
    const batch = await source.pull();
    if (batch === null) return;
    for (const alert of batch) push(alert);
  }
}

// deno-lint-ignore no-explicit-any
function operator(step: Step): OperatorStream<any, unknown> {
  return "filter" in step ? new FilterStream(step.filter) : new MapStream(step.map);
}

// deno-lint-ignore no-explicit-any
function transform(step: Step): TransformStream<any, any> {
  return new TransformStream({
    transform(item, controller) {
      if ("map" in step) controller.enqueue(step.map(item));
      else if (step.filter(item)) controller.enqueue(item);
    },
  });
}
