/** What every output channel of the fake is. @module */
import type { Alert } from "../../lib/alert/alert.ts";

/** An alert on its way to the channels, with its line already written. */
export interface OutputMessage {
  /** The alert as it was pushed. */
  readonly alert: Alert;
  /** The line that every channel but gRPC sends, without a line break at its end. */
  readonly line: string;
}

/**
 * A channel that alerts go out through.
 *
 * All channels share one worker, as in Falco: while a promise of one is pending, the others wait.
 */
export interface AlertOutput {
  /** Its name in Falco's messages: `file`, `stdout`, `syslog`, `program`, `http` or `grpc`. */
  readonly name: string;
  /** How many alerts went in and did not get out, as far as can be told. */
  readonly lost: number;
  /**
   * Sends an alert.
   *
   * @param message The alert and its line.
   * @returns A promise if it has to be waited for. A rejection is logged as Falco logs it, the alert
   * is lost in this channel, and the others get it.
   */
  write(message: OutputMessage): void | Promise<void>;
  /** SIGUSR1: closes what is open and opens it again. Nothing in most channels. */
  reopen?(): void | Promise<void>;
  /** The orderly end: what is held back goes out first. */
  close?(): void | Promise<void>;
  /** SIGKILL: lets go of everything at once; what is held back is lost. */
  kill?(): void;
}
