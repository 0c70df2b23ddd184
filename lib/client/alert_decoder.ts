/** Messages to alerts, with what went wrong counted. @module */
import type { Alert } from "../alert/alert.ts";
import { alertOfResponse } from "../alert/alert_of_response.ts";
import { AlertReader } from "../alert/decode_alert.ts";
import { AlertFormatError } from "../errors.ts";
import type { FalcoRpcError } from "../errors.ts";
import { bytesOf } from "../transport/stream_call.ts";
import type { StreamMessage } from "../transport/stream_call.ts";

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
   * @param messages `falco.outputs.response` messages, encoded or as the transport decoded them.
   * @param alerts Where to put the alerts among them, in order; those before a message on which
   * `onInvalid` throws are there even if it throws.
   */
  decode(messages: readonly StreamMessage[], alerts: Alert[]): void {
    for (const message of messages) {
      try {
        alerts.push(
          message instanceof Uint8Array ? this.#reader.decode(message) : alertOfResponse(message),
        );
        this.decoded++;
      } catch (error) {
        if (!(error instanceof AlertFormatError)) throw error;
        this.invalid++;
        // A copy: the message is a view of what one read of the socket brought, and a `Buffer` too.
        this.#onInvalid?.(error, bytesOf(message));
      }
    }
  }

  /**
   * Counts and reports a message that could not even be taken off the wire.
   *
   * @param error What it did to its call.
   */
  lose(error: FalcoRpcError): void {
    this.invalid++;
    const { message, cause } = error;
    this.#onInvalid?.(new AlertFormatError(message, { cause }), new Uint8Array());
  }
}
