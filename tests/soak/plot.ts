/** Figures over time as a drawing, and as text. @module */

/** A line of a plot. */
export interface Series {
  readonly name: string;
  readonly unit: string;
  /** One value for each moment. */
  readonly values: readonly number[];
}

/** Moments, what was measured at them, and what happened. */
export interface Plot {
  readonly title: string;
  /** In seconds, rising. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  /** Moments to mark, in seconds. */
  readonly marks: readonly number[];
  /** What the marks are. */
  readonly marked: string;
}

const WIDTH = 900;
const PANEL = 110;
const LEFT = 70;
const RIGHT = 20;
const TOP = 40;
const SPACE = 34;
const COLOURS = ["#1f6feb", "#8250df", "#bf3989", "#1a7f37", "#9a6700"];
const BARS = "▁▂▃▄▅▆▇█";

/**
 * Draws a panel for each series, from 0 to its greatest value, above one axis of time.
 *
 * @param plot What to draw.
 * @returns The text of an SVG file.
 */
export function svgOf(plot: Plot): string {
  const { times, series, marks } = plot;
  const last = times.at(-1) ?? 1;
  const x = (time: number) => round(LEFT + time / last * (WIDTH - LEFT - RIGHT));
  const height = TOP + series.length * (PANEL + SPACE) + 10;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
    `font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="20" font-size="14">${escape(plot.title)}</text>`,
  ];
  for (const [index, { name, unit, values }] of series.entries()) {
    const top = TOP + index * (PANEL + SPACE);
    const most = Math.max(...values) || 1;
    const y = (value: number) => round(top + PANEL - value / most * (PANEL - 16));
    const points = values.map((value, at) => `${x(times[at]!)},${y(value)}`).join(" ");
    parts.push(
      `<g><path d="${marks.map((mark) => `M${x(mark)} ${top + PANEL}v-${PANEL}`).join("")}" ` +
        `stroke="#d0d7de" stroke-width="0.6"/>`,
      `<path d="M${LEFT} ${top}v${PANEL}h${WIDTH - LEFT - RIGHT}" stroke="#57606a" fill="none"/>`,
      `<text x="${LEFT + 6}" y="${top + 10}">${escape(`${name}, ${unit}`)}</text>`,
      `<text x="${LEFT - 6}" y="${top + 22}" text-anchor="end">${shown(most)}</text>`,
      `<text x="${LEFT - 6}" y="${top + PANEL}" text-anchor="end">0</text>`,
      `<polyline points="${points}" fill="none" stroke="${COLOURS[index % COLOURS.length]}" ` +
        `stroke-width="1.4"/>`,
    );
    for (let part = 0; part <= 5; part++) {
      const time = last * part / 5;
      parts.push(
        `<text x="${x(time)}" y="${top + PANEL + 14}" text-anchor="middle">${clock(time)}</text>`,
      );
    }
    parts.push("</g>");
  }
  const below = `grey lines: ${plot.marked}`;
  parts.push(
    `<text x="${WIDTH - RIGHT}" y="20" text-anchor="end" fill="#57606a">${escape(below)}</text>`,
    "</svg>",
  );
  return `${parts.join("\n")}\n`;
}

/**
 * The same in text: for each series a line of bars, from 0 to its greatest value.
 *
 * @param plot What to show.
 * @param width How many bars.
 * @returns Lines, each with a line break.
 */
export function textOf(plot: Plot, width = 60): string {
  const { series, times } = plot;
  const names = series.map(({ name, unit }) => `${name}, ${unit}`);
  const longest = Math.max(...names.map((name) => name.length), 0);
  const lines = series.map(({ values }, index) => {
    const most = Math.max(...values) || 1;
    const bars = columns(values, width).map((value) =>
      BARS[Math.min(Math.floor(value / most * BARS.length), BARS.length - 1)]
    );
    const range = `${shown(Math.min(...values))} to ${shown(most)}, last ${shown(values.at(-1)!)}`;
    return `${names[index]!.padEnd(longest)}  ${bars.join("")}  ${range}\n`;
  });
  const bars = Math.min(width, times.length);
  const end = clock(times.at(-1) ?? 0);
  return `${lines.join("")}${" ".repeat(longest + 2)}0:00${end.padStart(Math.max(bars - 4, 0))}\n`;
}

/** As many values as there are columns, each the greatest of its part. */
function columns(values: readonly number[], width: number): number[] {
  const count = Math.min(width, values.length);
  return Array.from({ length: count }, (_, at) => {
    const from = Math.floor(at * values.length / count);
    const to = Math.floor((at + 1) * values.length / count);
    return Math.max(...values.slice(from, to));
  });
}

function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function shown(value: number): string {
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replace(/[&<>]/g, (one) => `&#${one.charCodeAt(0)};`);
}
