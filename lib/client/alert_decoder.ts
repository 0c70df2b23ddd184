/** Messages to alerts, with what went wrong counted. @module */
import type { Alert } from "../alert/alert.ts";
import { AlertReader } from "../alert/decode_alert.ts";
import { AlertFormatError } from "../errors.ts";

/**
 * Decodes the messages of one call. A message that is no alert is skipped, counted and reported: one
 * bad message must not end a stream of good ones.
 */
export class AlertDecoder {
  /** Alerts decoded. */
  decoded = 0;
  /** Messages skipped. */
  invalid = 0;
  /** Texts that were not UTF-8. */
  lossyText = 0;
  readonly #onInvalid: ((error: AlertFormatError, message: Uint8Array) => void) | undefined;
  readonly #reader = new AlertReader({ onInvalidUtf8: () => void this.lossyText++ });

  /** @param onInvalid Learns of each message that is skipped. */
  constructor(onInvalid?: (error: AlertFormatError, message: Uint8Array) => void) {
    this.#onInvalid = onInvalid;
  }

  /**
   * Decodes what one read brought.
   *
   * @param messages Encoded `falco.outputs.response` messages.
   * @param alerts Where to put the alerts among them, in order; those before a message on which
   * `onInvalid` throws are there even if it throws.
   */
  decode(messages: readonly Uint8Array[], alerts: Alert[]): void {
    for (const message of messages) {
      try {
        alerts.push(this.#reader.decode(message));
        this.decoded++;
      } catch (error) {
        if (!(error instanceof AlertFormatError)) throw error;
        this.invalid++;
        // A copy: the message is a view of what one read of the socket brought, and a `Buffer` too.
        this.#onInvalid?.(error, Uint8Array.from(message));
      }
    }
  }
}
