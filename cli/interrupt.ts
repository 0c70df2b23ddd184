/** Ctrl-C and its relatives. @module */
import process from "node:process";

/** The exit status of a command that was interrupted, by signal. */
const statuses = { SIGINT: 130, SIGTERM: 143 } as const;

/** Hears of the signals that ask a command to stop. */
export interface Interrupt {
  /** Fires at the first signal. The second one ends the process at once. */
  readonly signal: AbortSignal;
  /** The exit status, once a signal has come: 130 after Ctrl-C. */
  readonly status: number | undefined;
  /** Stops listening. */
  dispose(): void;
}

/**
 * Takes over SIGINT and SIGTERM, so that a command can stop in order.
 *
 * @returns The interrupt; dispose of it when the command is over.
 */
export function listenForInterrupt(): Interrupt {
  const controller = new AbortController();
  let status: number | undefined;
  const handlers = Object.entries(statuses).map(([name, code]) => {
    const handler = () => {
      if (status !== undefined) process.exit(code);
      status = code;
      controller.abort(new DOMException(`interrupted by ${name}`, "AbortError"));
    };
    process.on(name as NodeJS.Signals, handler);
    return [name, handler] as const;
  });
  return {
    signal: controller.signal,
    get status() {
      return status;
    },
    dispose() {
      for (const [name, handler] of handlers) process.off(name, handler);
    },
  };
}
