/** Prometheus' text format, version 0.0.4. @module */

/** One metric with all its series. */
export interface MetricFamily {
  readonly name: string;
  readonly type: "counter" | "gauge";
  /** What it says, in one line. */
  readonly help: string;
  readonly series: readonly MetricSeries[];
}

/** A value under its labels. */
export interface MetricSeries {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Writes metrics.
 *
 * @param families In order; those without series are left out.
 * @returns The text.
 */
export function formatMetrics(families: readonly MetricFamily[]): string {
  const lines: string[] = [];
  for (const { name, type, help, series } of families) {
    if (series.length === 0) continue;
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const { labels = {}, value } of series) {
      const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escape(text)}"`);
      lines.push(`${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** The three characters that have a meaning within a label. */
function escape(text: string): string {
  return text.replace(/[\\"\n]/g, (one) => one === "\n" ? "\\n" : `\\${one}`);
}
