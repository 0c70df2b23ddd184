/** Tables in plain text. @module */

/**
 * Makes a table of rows.
 *
 * @param rows The rows, all with as many cells.
 * @returns A line for each, with its end.
 */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd();
  return `${rows.map(line).join("\n")}\n`;
}
