/** Alerts to an HTTP endpoint. @module */
import type { Alert } from "../alert/alert.ts";
import { formatAlert } from "../alert/format_alert.ts";
import { systemClock } from "../clock.ts";
import { SinkStream } from "../streams/engine/sink_stream.ts";
import type { Delivered, DeliveryOptions, DeliveryStats } from "./delivery_options.ts";
import { DeliveryQueue } from "./delivery_queue.ts";
import { HttpDelivery } from "./http_delivery.ts";
import { requirePositive } from "./require_positive.ts";

/**
 * The body of a request.
 *
 * @example
 * ```ts
 * import type { WebhookBody } from "@falco-streams/core";
 *
 * const body: WebhookBody = { body: "Terminal shell in container", contentType: "text/plain" };
 * console.assert(body.body.length > 0);
 * ```
 */
export interface WebhookBody {
  /** What to send, UTF-8. */
  readonly body: string;
  /** Its `Content-Type`. */
  readonly contentType: string;
}

/**
 * Options of {@linkcode WebhookSink}.
 *
 * @example A message as a chat service wants it
 * ```ts
 * import { WebhookSink } from "@falco-streams/core";
 * import type { WebhookSinkOptions } from "@falco-streams/core";
 *
 * const options: WebhookSinkOptions = {
 *   headers: { authorization: "Bearer s3cret" },
 *   body: (item) => {
 *     const text = [item].flat().map(({ rule }) => rule).join(", ");
 *     return { body: JSON.stringify({ text }), contentType: "application/json" };
 *   },
 * };
 * const sink = new WebhookSink("https://chat.example.com/hook", options);
 * console.assert(sink.stats().waiting === 0);
 * ```
 */
export interface WebhookSinkOptions extends DeliveryOptions {
  /** Headers beside `Content-Type` and `Content-Length`. */
  headers?: Readonly<Record<string, string>>;
  /**
   * Makes the body. Default: Falco's own JSON, as its `http_output` posts it, which Falcosidekick
   * takes; an array of it for several alerts. What it throws fails the sink.
   */
  body?: (item: Delivered) => WebhookBody;
  /** How long an attempt may take, in milliseconds. Default 10000. */
  timeoutMs?: number;
  /**
   * Certificates for https, each as PEM text, a path or a `file:` URL; by default what the machine trusts.
   * `cert` and `key`, for a receiver that wants a client certificate, go together.
   */
  tls?: {
    readonly ca?: string | URL;
    readonly cert?: string | URL;
    readonly key?: string | URL;
  };
}

/**
 * Posts alerts to an HTTP endpoint, one request after the other, so that they arrive in order.
 *
 * - Delivered means answered with 2xx. No answer, a broken connection, 408, 425, 429 and 5xx are tried
 *   again, after `Retry-After` if the answer has one; any other status is final, redirects included.
 * - At least once: an alert whose answer was lost is sent again.
 * - An item is written when it waits for delivery; at most `maxBuffered` do.
 * - Closing delivers what waits; aborting does not.
 *
 * @example
 * ```ts
 * import { HttpReceiver, WebhookSink } from "@falco-streams/core";
 * import { EventStream } from "@falco-streams/core/streams";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const receiver = await HttpReceiver.start({ port: 0 });
 * const sink = new WebhookSink(receiver.url);
 * await EventStream.from([buildAlert({ rule: "Terminal shell in container" })]).pipeTo(sink);
 * assert.equal(sink.stats().delivered, 1);
 * await receiver.close();
 * assert.equal((await Array.fromAsync(receiver))[0]?.rule, "Terminal shell in container");
 * ```
 */
export class WebhookSink extends SinkStream<Delivered> {
  readonly #queue: DeliveryQueue;

  /**
   * Creates the sink; nothing is connected before the first alert.
   *
   * @param url Where to post, `http:` or `https:`. A user name and password in it are sent as Basic.
   * @param options Body, headers, certificates, limits.
   * @throws {TypeError} If the URL is none, or of another scheme.
   * @throws {RangeError} If a limit is out of range.
   */
  constructor(url: string | URL, options: WebhookSinkOptions = {}) {
    const { headers = {}, body = falcoBody, timeoutMs = 10_000, tls = {}, clock = systemClock } =
      options;
    const target = new URL(url);
    if (target.protocol !== "http:" && target.protocol !== "https:") {
      throw new TypeError(`Cannot post to "${url}": the scheme must be http or https`);
    }
    requirePositive({ timeoutMs });
    const delivery = new HttpDelivery(target, { headers, body, timeoutMs, tls, clock });
    const queue = new DeliveryQueue(delivery, options);
    super(queue);
    this.#queue = queue;
  }

  /**
   * Counts so far.
   *
   * @returns A snapshot.
   */
  stats(): DeliveryStats {
    return this.#queue.stats();
  }
}

function falcoBody(item: Delivered): WebhookBody {
  const body = isAlert(item) ? formatAlert(item) : `[${item.map(formatAlert).join(",")}]`;
  return { body, contentType: "application/json" };
}

function isAlert(item: Delivered): item is Alert {
  return !Array.isArray(item);
}
