/** Items to a syslog receiver. @module */
import { systemClock } from "../clock.ts";
import { FalcoError } from "../errors.ts";
import { alertsOf } from "./alerts_of.ts";
import { DeliveryError } from "./delivery_error.ts";
import type { Delivered } from "./delivery_options.ts";
import type { Delivery } from "./delivery_queue.ts";
import type { SyslogCarrier } from "./syslog_carrier.ts";
import { cutMessage, syslogMessage } from "./syslog_message.ts";
import type { SyslogHeader } from "./syslog_message.ts";
import { withDeadline } from "./with_deadline.ts";
import type { Deadline } from "./with_deadline.ts";

/** Options of {@linkcode SyslogDelivery}: those of the sink, complete. */
export interface SyslogDeliveryOptions extends Omit<Deadline, "signal"> {
  /** The receiver's address, for messages. */
  readonly name: string;
  readonly header: SyslogHeader;
  readonly maxMessageBytes: number;
}

/** Writes items as messages, and sends them. */
export class SyslogDelivery implements Delivery {
  readonly #carrier: SyslogCarrier;
  readonly #options: SyslogDeliveryOptions;
  #cut = 0;

  /**
   * @param carrier The way of the messages.
   * @param options What they say, and how long they may be.
   */
  constructor(carrier: SyslogCarrier, options: SyslogDeliveryOptions) {
    this.#carrier = carrier;
    this.#options = options;
  }

  /** How many messages were too long. */
  get cut(): number {
    return this.#cut;
  }

  /** How often it has connected. */
  get connections(): number {
    return this.#carrier.connections;
  }

  /** @inheritdoc */
  async deliver(items: readonly Delivered[], signal: AbortSignal): Promise<void> {
    const { header, maxMessageBytes } = this.#options;
    let cut = 0;
    const messages = items.flatMap(alertsOf).map((alert) => {
      const message = syslogMessage(alert, header);
      if (message.length <= maxMessageBytes) return message;
      cut++;
      return cutMessage(message, maxMessageBytes);
    });
    try {
      await this.#within(this.#carrier.send(messages), signal);
    } catch (error) {
      // Half a message may be out: what follows on this connection would be read as part of it.
      this.#carrier.destroy();
      throw this.#errorOf(error);
    }
    this.#cut += cut;
  }

  /** @inheritdoc */
  async end(signal: AbortSignal): Promise<void> {
    try {
      await this.#within(this.#carrier.end(), signal);
    } catch (error) {
      if (!signal.aborted) throw this.#errorOf(error);
    } finally {
      this.#carrier.destroy();
    }
  }

  #within(work: Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock = systemClock, timeoutMs } = this.#options;
    return withDeadline(work, { clock, timeoutMs, signal }, (problem) => new Error(problem));
  }

  #errorOf(cause: unknown): Error {
    if (cause instanceof FalcoError) return cause;
    const { name, message } = cause as Error;
    const text = `Cannot deliver to ${this.#options.name}: ${message}`;
    return name === "NotCapable"
      ? new FalcoError(text, { cause })
      : new DeliveryError(text, { mayPass: true, cause });
  }
}
