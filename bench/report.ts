/** Measurements as text, for a terminal and for RESULTS.md. @module */
import type { Machine } from "./machine.ts";
import type { Measurement, Result } from "./measurement.ts";

/** What one benchmark found out. */
export interface Report {
  /** The name of the benchmark. */
  readonly benchmark: string;
  /** Sentences and measurements, in their order. */
  readonly parts: readonly (string | Measurement)[];
}

/**
 * A measurement for a terminal: ratios first.
 *
 * @param measurement The measurement.
 * @returns Lines, with a line break behind each.
 */
export function formatMeasurement({ question, unit, results }: Measurement): string {
  const rounds = results[0]!.values.length;
  const lines = results.map((result) => {
    const { ratio, value, name, goal } = result;
    return `  ${factor(ratio.median).padStart(7)} ×  ${middleHalf(result).padEnd(18)} ` +
      `${name.padEnd(34)} ${amount(value.median, unit).padStart(9)}` +
      (goal === undefined ? "" : `   goal: ${goal.text}, ${goal.isMet ? "met" : "missed"}`);
  });
  return `${question}\n` +
    `  to the first; median of ${rounds} rounds (middle half); an operation\n` +
    `${lines.join("\n")}\n\n`;
}

/**
 * A report for RESULTS.md.
 *
 * @param report The report.
 * @param machine What it ran on.
 * @param date The day, as `2026-01-31`.
 * @returns Markdown without headings.
 */
export function formatReport(report: Report, machine: Machine, date: string): string {
  const { version, engine, system, processor, cores, memoryGiB, load, packages } = machine;
  const libraries = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  const head = `${date}; ${machine.runtime} ${version} (${engine}); ${system}, ${cores} cores of ` +
    `${processor}, ${memoryGiB} GiB; load before ${load}.\n\nPackages: ${libraries.join(", ")}.`;
  return [
    head,
    ...report.parts.map((part) => typeof part === "string" ? part : table(part)),
  ].join("\n\n");
}

function table({ question, unit, results }: Measurement): string {
  const rows = results.map((result) => {
    const { ratio, value, name, goal } = result;
    const cells = [
      `${factor(ratio.median)} ×`,
      middleHalf(result).replace(/[()]/g, ""),
      name,
      amount(value.median, unit),
      goal === undefined ? "" : `${goal.text}: ${goal.isMet ? "met" : "**missed**"}`,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    `**${question}** (${results[0]!.values.length} rounds)`,
    "",
    "| to the first | middle half | | an operation | goal |",
    "| --: | --- | --- | --: | --- |",
    ...rows,
  ].join("\n");
}

function middleHalf({ ratio }: Result): string {
  if (ratio.low === 1 && ratio.high === 1) return "";
  return `(${factor(ratio.low)} to ${factor(ratio.high)})`;
}

function factor(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Three digits that count. */
function amount(value: number, unit: Measurement["unit"]): string {
  if (unit === "µs" && value < 1) return `${digits(value * 1000)} ns`;
  return `${digits(value)} ${unit}`;
}

function digits(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}
