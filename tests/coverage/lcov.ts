/** Reads LCOV, the text in which coverage is reported. @module */
import { relative, sep } from "node:path";

/** How many there are, and how many were run. */
export interface Ratio {
  readonly found: number;
  readonly hit: number;
}

/** What was run of a file. */
export interface FileCoverage {
  readonly path: string;
  readonly lines: Ratio;
  readonly branches: Ratio;
}

/**
 * Reads a report.
 *
 * @param text The report.
 * @param root The folder that paths are made relative to.
 * @returns A record for each file.
 */
export function parseLcov(text: string, root: string): readonly FileCoverage[] {
  return text.split("end_of_record").filter((record) => record.includes("SF:")).map((record) => {
    const value = (key: string): string =>
      new RegExp(`^${key}:(.*)$`, "m").exec(record)?.[1]?.trim() ?? "0";
    return {
      path: relative(root, value("SF")).split(sep).join("/"),
      lines: { found: Number(value("LF")), hit: Number(value("LH")) },
      branches: { found: Number(value("BRF")), hit: Number(value("BRH")) },
    };
  });
}

/**
 * Adds figures up.
 *
 * @param files Some files.
 * @returns Their lines and branches together.
 */
export function addUp(files: readonly FileCoverage[]): Omit<FileCoverage, "path"> {
  const sum = (of: (file: FileCoverage) => Ratio): Ratio => ({
    found: files.reduce((total, file) => total + of(file).found, 0),
    hit: files.reduce((total, file) => total + of(file).hit, 0),
  });
  return { lines: sum(({ lines }) => lines), branches: sum(({ branches }) => branches) };
}

/**
 * A ratio for people.
 *
 * @param ratio The ratio.
 * @returns In percent, rounded down to a digit behind the point; 100 of nothing.
 */
export function percent({ found, hit }: Ratio): string {
  return found === 0 ? "100.0" : (Math.floor(hit / found * 1000) / 10).toFixed(1);
}
