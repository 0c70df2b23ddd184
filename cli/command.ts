/** What a command is. @module */
import type { Interrupt } from "./interrupt.ts";
import type { Output } from "./output.ts";

/** What every command gets. */
export interface CommandContext {
  /** Standard output. */
  readonly stdout: Output;
  /** Standard error. */
  readonly stderr: Output;
  /** Ctrl-C. */
  readonly interrupt: Interrupt;
}

/**
 * Runs a command.
 *
 * @param args The arguments after its name.
 * @param context Where to print, and what interrupts.
 * @returns The exit status. It throws `UsageError` or `FixtureError` for what the user gave.
 */
export type Command = (args: readonly string[], context: CommandContext) => Promise<number>;
