/** What the streams are given to do: little, so that the streams are measured and not the work. @module */
import type { Alert } from "../lib/alert/alert.ts";
import type { BatchSource } from "../lib/streams/engine/batch_source.ts";

/** What becomes of an alert. */
export interface Row {
  readonly rule: string;
  readonly host: string;
  readonly seconds: number;
  readonly text: string;
  size: number;
}

/** A step of a chain. Of the types of its items nothing is known where chains are put together. */
export type Step =
  // deno-lint-ignore no-explicit-any
  | { readonly type: "filter"; readonly test: (item: any) => boolean }
  // deno-lint-ignore no-explicit-any
  | { readonly type: "map"; readonly make: (item: any) => unknown }
  | { readonly type: "batch"; readonly size: number };

/** A chain, and what it is given. */
export interface Chain {
  /** The micro-batches that the source hands over, in turns. */
  readonly pulls: readonly (readonly Alert[])[];
  /** How many micro-batches those are, in all. */
  readonly count: number;
  readonly steps: readonly Step[];
  /** The same as one writes it without any library: one function for an alert, one for the end. */
  readonly loop: (take: Take) => { push(alert: Alert): void; end(): void };
  /** Takes what comes out; the sizes are added up. */
  readonly sizeOf: (output: unknown) => number;
}

/** Takes what comes out of a chain. */
export type Take = (output: unknown) => void;

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

const steps: readonly Step[] = [
  { type: "filter", test: isUrgent },
  { type: "map", make: toRow },
  { type: "filter", test: hasRule },
  { type: "map", make: addHost },
  { type: "filter", test: hasTime },
  { type: "map", make: addText },
  { type: "filter", test: hasText },
  { type: "map", make: addOne },
];

/** The lengths of chains that there are. */
export type ChainLength = 1 | 3 | 8;

const nothing = (): void => {};
const loops: Record<ChainLength, Chain["loop"]> = {
  1: (take) => ({
    push(alert) {
      if (isUrgent(alert)) take(alert);
    },
    end: nothing,
  }),
  3: (take) => ({
    push(alert) {
      if (!isUrgent(alert)) return;
      const row = toRow(alert);
      if (hasRule(row)) take(row);
    },
    end: nothing,
  }),
  8: (take) => ({
    push(alert) {
      if (!isUrgent(alert)) return;
      const row = toRow(alert);
      if (!hasRule(row)) return;
      addHost(row);
      if (!hasTime(row)) return;
      addText(row);
      if (hasText(row)) take(addOne(row));
    },
    end: nothing,
  }),
};

/** Filters and maps in turn. */
export function plainChain(
  length: ChainLength,
  { pulls, count }: Pick<Chain, "pulls" | "count">,
): Chain {
  return {
    pulls,
    count,
    steps: steps.slice(0, length),
    loop: loops[length],
    sizeOf: length === 1 ? (alert) => (alert as Alert).rule.length : (row) => (row as Row).size,
  };
}

/** A filter, a map, and batches. */
export function batchChain(
  size: number,
  { pulls, count }: Pick<Chain, "pulls" | "count">,
): Chain {
  return {
    pulls,
    count,
    steps: [...steps.slice(0, 2), { type: "batch", size }],
    loop(take) {
      let rows: Row[] = [];
      return {
        push(alert) {
          if (!isUrgent(alert) || rows.push(toRow(alert)) < size) return;
          take(rows);
          rows = [];
        },
        end() {
          if (rows.length > 0) take(rows);
        },
      };
    },
    sizeOf(rows) {
      let sum = 0;
      for (const { size } of rows as Row[]) sum += size;
      return sum;
    },
  };
}

/** What all rivals read: a promise of a micro-batch at a time, as a socket gives them. */
export function sourceOf({ pulls, count }: Chain): BatchSource<Alert> {
  let pulled = 0;
  return {
    pull: () => Promise.resolve(pulled < count ? pulls[pulled++ % pulls.length]! : null),
    cancel() {},
  };
}
