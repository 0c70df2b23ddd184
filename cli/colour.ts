/** Whether the user wants colours. @module */
import process from "node:process";

/**
 * Looks at NO_COLOR.
 *
 * @returns False if it is set. On Deno it is asked in a way that needs no permission.
 */
export function hasColour(): boolean {
  const deno = (globalThis as { Deno?: { noColor: boolean } }).Deno;
  if (deno !== undefined) return !deno.noColor;
  return (process.env["NO_COLOR"] ?? "") === "";
}
