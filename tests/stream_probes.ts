/** Sources and readers that the stream tests share. @module */
import { setImmediate } from "node:timers/promises";
import { EventStream, MapStream, SinkStream, TimeoutStream, toArray } from "../lib/streams/mod.ts";

/** Lets everything happen that can happen without new input: promises settle, pipes move on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await setImmediate();
}

/** A stream and what its consumer did to the source below it. */
export interface Probe<T> {
  readonly stream: ReadableStream<T>;
  /** How many times the source was asked for items. */
  readonly pulls: number;
  /** The reasons the source was cancelled with, one for each time. */
  readonly reasons: readonly unknown[];
}

/** How a source goes on after its items: it ends, it hangs for ever, or it fails with an error. */
export type Ending = "end" | "hang" | { readonly error: unknown };

/** A way to make a probed source that hands over one item a pull. */
export interface ProbedSource {
  readonly name: string;
  make<T>(items: readonly T[], ending?: Ending): Probe<T>;
}

/** Our own stream and one that knows nothing of ours. */
export const probedSources: readonly ProbedSource[] = [
  {
    name: "an EventStream",
    make(items, ending) {
      const { log, next } = probe(items, ending);
      return Object.assign(log, {
        stream: new EventStream({
          async pull() {
            const step = await next();
            return step.done ? null : [step.value];
          },
          cancel: (reason) => void log.reasons.push(reason),
        }),
      });
    },
  },
  {
    name: "a foreign ReadableStream",
    make<T>(items: readonly T[], ending?: Ending): Probe<T> {
      const { log, next } = probe(items, ending);
      return Object.assign(log, {
        stream: new ReadableStream<T>({
          async pull(controller) {
            const step = await next();
            if (step.done) controller.close();
            else controller.enqueue(step.value);
          },
          cancel: (reason) => void log.reasons.push(reason),
        }, { highWaterMark: 0 }),
      });
    },
  },
];

function probe<T>(items: readonly T[], ending: Ending = "end") {
  const log = { pulls: 0, reasons: [] as unknown[] };
  const rest = [...items];
  return {
    log,
    next(): Promise<IteratorResult<T, undefined>> {
      log.pulls++;
      if (rest.length > 0) return Promise.resolve({ done: false, value: rest.shift()! });
      if (ending === "hang") return new Promise(() => {});
      if (ending === "end") return Promise.resolve({ done: true, value: undefined });
      return Promise.reject(ending.error);
    },
  };
}

/** Reads to the end: the items, and the error if that is how it ended. */
export async function outcome<T>(
  stream: AsyncIterable<T>,
): Promise<{ items: T[]; error?: unknown }> {
  const items: T[] = [];
  try {
    for await (const item of stream) items.push(item);
    return { items };
  } catch (error) {
    return { items, error };
  }
}

/** A stream of micro-batches, which hangs after them; `log` has what happens at its source. */
export function batches<T>(...list: (readonly T[])[]): {
  stream: EventStream<T>;
  log: unknown[];
} {
  const log: unknown[] = [];
  const stream = new EventStream<T>({
    pull() {
      log.push("pull");
      return list.shift() ?? new Promise(() => {});
    },
    cancel: (reason) => void log.push(["cancel", reason]),
  });
  return { stream, log };
}

/** Counts the listeners that are left on a signal. */
export function countedSignal(): {
  controller: AbortController;
  signal: AbortSignal;
  listeners: number;
} {
  const controller = new AbortController();
  const { signal } = controller;
  const counted = { controller, signal, listeners: 0 };
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    counted.listeners++;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    counted.listeners--;
    removeEventListener.apply(signal, args);
  };
  return counted;
}

/** Holds up everything, as a user's function can that has much to do. */
export function workFor(ms: number): void {
  const since = performance.now();
  while (performance.now() - since < ms);
}

/** The ways to read a stream to its end as fast as one can. */
export const readers: readonly {
  readonly name: string;
  read<T>(stream: ReadableStream<T>): Promise<T[]>;
}[] = [
  { name: "for await", read: async (stream) => (await outcome(stream)).items },
  { name: "toArray()", read: (stream) => toArray(stream) },
  {
    name: "a reader",
    async read<T>(stream: ReadableStream<T>) {
      const reader = stream.getReader();
      const items: T[] = [];
      for (let step = await reader.read(); !step.done; step = await reader.read()) {
        items.push(step.value);
      }
      return items;
    },
  },
  {
    name: "a sink",
    async read<T>(stream: ReadableStream<T>) {
      const items: T[] = [];
      await stream.pipeTo(new SinkStream<T>({ write: (item) => void items.push(item) }));
      return items;
    },
  },
  {
    name: "a chain",
    read: (stream) =>
      toArray(
        stream.pipeThrough(new MapStream((item) => item)).pipeThrough(new TimeoutStream(60_000))
          .pipeThrough(new MapStream((item) => item)),
      ),
  },
];
