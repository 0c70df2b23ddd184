/** A stream that a test writes into, one step at a time. @module */
import type { OperatorStream } from "../lib/streams/mod.ts";
import { settled } from "./stream_probes.ts";

/** An operator in use, what goes in and what has come out. */
export interface Written<I, O> {
  /** What has come out. */
  readonly items: O[];
  /** Settled when the stream is over. */
  readonly done: Promise<void>;
  /** Writes items without waiting for them, and lets everything happen that can. */
  write(...items: I[]): Promise<void>;
  /** Ends the input and waits for the end of the output. */
  close(): Promise<void>;
  /** Makes the reader leave. */
  leave(reason?: unknown): Promise<void>;
}

/** Puts an operator between a writer and a reader who reads all the time. */
export function written<I, O>(operator: OperatorStream<I, O>): Written<I, O> {
  const input = new TransformStream<I, I>(undefined, { highWaterMark: 1000 });
  const writer = input.writable.getWriter();
  const items: O[] = [];
  const abort = new AbortController();
  const done = input.readable.pipeThrough(operator).pipeTo(
    new WritableStream({ write: (item) => void items.push(item) }),
    { signal: abort.signal },
  );
  done.catch(() => {});
  return {
    items,
    done,
    async write(...given) {
      for (const item of given) writer.write(item).catch(() => {});
      await settled();
    },
    async close() {
      await writer.close();
      await done;
    },
    async leave(reason) {
      abort.abort(reason);
      await settled();
    },
  };
}

/** A stage below that takes its time, and says if calls to it overlap. */
export function busyFlag(): { busy: boolean; enter(): Promise<void> } {
  const flag = {
    busy: false,
    async enter() {
      if (flag.busy) throw new Error("calls to the stage below overlap");
      flag.busy = true;
      await settled();
      flag.busy = false;
    },
  };
  return flag;
}
