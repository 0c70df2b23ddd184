/** Whether the user wants colours. @module */
import process from "node:process";

/** When to colour: `auto` is on a terminal, unless NO_COLOR is set. */
export type ColourChoice = "auto" | "always" | "never";

/** All choices, for `oneOf`. */
export const colourChoices: readonly ColourChoice[] = Object.freeze(["auto", "always", "never"]);

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

/**
 * Decides whether to colour.
 *
 * @param choice What was asked for; `auto` if nothing was.
 * @param isTerminal Whether it is a terminal that is written to.
 * @returns The decision. Who asks for colours in so many words gets them despite NO_COLOR.
 */
export function useColour(choice: ColourChoice | undefined, isTerminal: boolean): boolean {
  if (choice === "always" || choice === "never") return choice === "always";
  return isTerminal && hasColour();
}
