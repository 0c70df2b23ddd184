/** What a soak has shown. @module */
import process from "node:process";
import { growth } from "./figures.ts";
import type { Growth, Sample } from "./figures.ts";
import type { LaneFigures } from "./lane.ts";
import type { Plot } from "./plot.ts";
import type { SequenceFigures } from "./sequence_check.ts";

/** A run, when it is over. */
export interface SoakRun {
  readonly minutes: number;
  readonly seed: number;
  readonly rate: number;
  readonly samples: readonly Sample[];
  /** Descriptors that were not there before. */
  readonly left: readonly string[];
  readonly lanes: readonly {
    readonly name: string;
    readonly sequence: SequenceFigures;
    readonly figures: LaneFigures;
  }[];
}

/**
 * Says what is wrong.
 *
 * @param run The run.
 * @returns A sentence for each thing; empty if all is well.
 */
export function failuresOf(run: SoakRun): string[] {
  const failures: string[] = [];
  for (const { name, sequence, figures } of run.lanes) {
    const { received, duplicates, disordered, unexplained } = sequence;
    if (received === 0) failures.push(`${name}: nothing was received`);
    if (duplicates > 0) failures.push(`${name}: ${duplicates} alerts came twice`);
    if (disordered > 0) failures.push(`${name}: ${disordered} alerts came out of order`);
    for (const sentence of unexplained) failures.push(`${name}: ${sentence}`);
    if (figures.invalid > 0) failures.push(`${name}: ${figures.invalid} messages were no alerts`);
    if (figures.droppedByDedupe > 0) {
      failures.push(`${name}: the pipeline took ${figures.droppedByDedupe} alerts for doubles`);
    }
  }
  for (const { name, before, after, grows } of growths(run.samples)) {
    if (grows) failures.push(`${name} grew from ${mib(before)} to ${mib(after)}`);
  }
  if (run.left.length > 0) {
    failures.push(`${run.left.length} descriptors are left: ${run.left.slice(0, 5).join(", ")}`);
  }
  return failures;
}

function growths(samples: readonly Sample[]): Growth[] {
  const of = (key: "heap" | "rss" | "descriptors") => samples.map((sample) => sample[key]);
  return [
    growth("heap", of("heap"), { fixed: 2, part: 0.1 }),
    growth("memory of the process", of("rss"), { fixed: 16, part: 0.1 }),
    growth("descriptors", of("descriptors"), { fixed: 4, part: 0 }),
  ];
}

/**
 * Makes the plot.
 *
 * @param samples The figures.
 * @param marks When faults struck, in seconds.
 * @returns What to draw.
 */
export function plotOf(samples: readonly Sample[], marks: readonly number[]): Plot {
  const times = samples.map(({ atS }) => atS);
  const perSecond = samples.map(({ atS, received }, at) => {
    const before = samples[at - 1];
    return before === undefined || atS === before.atS
      ? 0
      : (received - before.received) / (atS - before.atS);
  });
  return {
    title: "Two clients under faults",
    times,
    series: [
      { name: "heap", unit: "MiB", values: samples.map(({ heap }) => heap) },
      { name: "RSS", unit: "MiB", values: samples.map(({ rss }) => rss) },
      { name: "descriptors", unit: "open", values: samples.map((one) => one.descriptors) },
      { name: "alerts", unit: "received in a second", values: perSecond },
      { name: "queue", unit: "alerts waiting in Falco", values: samples.map((one) => one.queued) },
    ],
    marks,
    marked: "faults",
  };
}

/**
 * Writes it all down.
 *
 * @param run The run.
 * @param plot The plot as text.
 * @returns Lines.
 */
export function reportOf(run: SoakRun, plot: string): string {
  const { minutes, seed, rate, samples } = run;
  const lines = [
    `${minutes} minutes, seed ${seed}, ${rate} alerts/s for each client, ${runtime()}`,
    "",
    ...plot.trimEnd().split("\n"),
    "",
  ];
  for (const { name, sequence, figures } of run.lanes) {
    const { sent, received, duplicates, disordered, lost } = sequence;
    const { lives, delivered, filtered, reconnects, gaps, unread, faults } = figures;
    lines.push(
      `${name}: ${sent} sent, ${received} received, ${sent - received} lost, ` +
        `${duplicates} twice, ${disordered} out of order`,
      `  ${filtered} below the priority, ${delivered} delivered in batches`,
      `  ${lives} readers one after the other, ${reconnects} reconnects, ${gaps} gaps`,
      `  faults: ${listOf(faults)}`,
      `  lost to: ${listOf(lost)}; ${unread} of them had arrived, unread`,
    );
  }
  lines.push("");
  for (const { name, before, after, allowed } of growths(samples)) {
    const unit = name === "descriptors" ? String : mib;
    lines.push(
      `${name}: median ${unit(before)} in the first third, ${unit(after)} in the last ` +
        `(allowed ${unit(allowed)})`,
    );
  }
  lines.push(`descriptors left at the end: ${run.left.length}`);
  const failures = failuresOf(run);
  lines.push("", failures.length === 0 ? "all is well" : "NOT WELL:");
  for (const failure of failures) lines.push(`  ${failure}`);
  return `${lines.join("\n")}\n`;
}

function listOf(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).sort(([a], [b]) => a < b ? -1 : 1);
  return entries.map(([name, count]) => `${count} ${name}`).join(", ") || "nothing";
}

function mib(value: number): string {
  return `${value.toFixed(1)} MiB`;
}

function runtime(): string {
  const { deno, bun, node } = process.versions;
  const name = deno !== undefined ? `Deno ${deno}` : bun !== undefined ? `Bun ${bun}` : undefined;
  return `${name ?? `Node ${node}`} on ${process.platform} ${process.arch}`;
}
