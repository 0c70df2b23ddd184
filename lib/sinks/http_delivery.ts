/** One POST after the other. @module */
import { Buffer } from "node:buffer";
import { Agent, request as requestHttp } from "node:http";
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { Agent as TlsAgent, request as requestHttps } from "node:https";
import type { Clock } from "../clock.ts";
import { FalcoError } from "../errors.ts";
import { tcpFirst } from "../transport/connect_tcp.ts";
import type { PemFailure } from "../transport/load_pem.ts";
import { TcpFirstAgent } from "../transport/tcp_first_agent.ts";
import { DeliveryError } from "./delivery_error.ts";
import type { Delivered } from "./delivery_options.ts";
import type { Delivery } from "./delivery_queue.ts";
import { loadSinkTls } from "./load_sink_tls.ts";
import type { WebhookBody, WebhookSinkOptions } from "./webhook_sink.ts";

/** Options of {@linkcode HttpDelivery}: those of the sink, complete. */
export interface HttpDeliveryOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: (item: Delivered) => WebhookBody;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly tls: NonNullable<WebhookSinkOptions["tls"]>;
}

/** Statuses that another attempt may change. */
const PASSING = [408, 425, 429];
/** The longest that a receiver may ask us to stay away, in milliseconds: an hour. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Posts items over one connection that is kept open.
 *
 * Not with `fetch`, which takes no client certificate that works on every runtime.
 */
export class HttpDelivery implements Delivery {
  readonly #url: URL;
  readonly #options: HttpDeliveryOptions;
  #agent: Agent | undefined;

  /**
   * @param url Where to post.
   * @param options Body, headers, certificates, the time limit.
   */
  constructor(url: URL, options: HttpDeliveryOptions) {
    this.#url = url;
    this.#options = options;
  }

  /** @inheritdoc */
  async deliver([item]: readonly Delivered[], signal: AbortSignal): Promise<void> {
    const { body, contentType } = this.#options.body(item!);
    const bytes = Buffer.from(body);
    this.#agent ??= await this.#makeAgent();
    const { username, password } = this.#url;
    const response = await this.#post(bytes, {
      method: "POST",
      agent: this.#agent,
      headers: {
        ...this.#options.headers,
        "content-type": contentType,
        "content-length": bytes.length,
      },
      ...(username === "" && password === ""
        ? {}
        : { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` }),
    }, signal);
    const { statusCode: status = 0, headers } = response;
    if (status >= 200 && status < 300) return;
    const mayPass = PASSING.includes(status) || status >= 500;
    const where = status >= 300 && status < 400 && headers.location !== undefined
      ? `, to ${JSON.stringify(headers.location)}. Post there instead`
      : "";
    throw new DeliveryError(`Cannot deliver to ${this.#name}: it answered ${status}${where}`, {
      mayPass,
      retryAfterMs: retryAfterMs(headers["retry-after"], headers.date),
    });
  }

  /** @inheritdoc */
  end(): void {
    this.#agent?.destroy();
  }

  /** Without the password. */
  get #name(): string {
    return `${this.#url.origin}${this.#url.pathname}`;
  }

  #post(body: Uint8Array, options: RequestOptions, signal: AbortSignal): Promise<IncomingMessage> {
    const { clock, timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const sent = this.#begin(options);
      let answered: (() => void) | undefined;
      const fail = (problem: string, cause?: unknown) => {
        settle();
        reject(
          new DeliveryError(`Cannot deliver to ${this.#name}: ${problem}`, {
            mayPass: true,
            cause,
          }),
        );
      };
      // Not `options.timeout`, which begins anew with each byte.
      const cancelTimer = clock.setTimer(() => {
        answered?.();
        fail(`no answer within ${timeoutMs} ms`);
        sent.destroy();
      }, timeoutMs);
      const onAbort = () => {
        fail("the sink is being closed");
        sent.destroy();
      };
      const settle = () => {
        cancelTimer();
        signal.removeEventListener("abort", onAbort);
        if (this.#agent instanceof TcpFirstAgent) this.#agent.stopConnecting();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      sent.on("error", (error) => {
        if (error.name !== "NotCapable") return fail(error.message, error);
        settle(); // a permission of Deno: it will not be granted by waiting
        reject(this.#hopeless(error));
      });
      sent.on("response", (response) => {
        // The status is the answer. What else it says does not matter, but holds the connection; if
        // it breaks off or never ends, the alert is delivered all the same.
        answered = () => {
          settle();
          resolve(response);
        };
        response.on("end", answered);
        response.on("error", answered);
        response.on("close", answered);
        response.resume();
      });
      // While the certificates were being read.
      if (signal.aborted) onAbort();
      else sent.end(body);
    });
  }

  /** What is thrown here no other attempt changes: a header that is none, a permission of Deno. */
  #begin(options: RequestOptions): ClientRequest {
    const request = this.#url.protocol === "https:" ? requestHttps : requestHttp;
    try {
      return request(this.#url, options);
    } catch (error) {
      throw this.#hopeless(error as Error);
    }
  }

  #hopeless(cause: Error): FalcoError {
    const { name, message } = cause;
    const remedy = name === "NotCapable" && /"ca"|"NODE_USE_SYSTEM_CA"/.test(message)
      ? ". For the authorities that the machine trusts Deno wants --allow-sys and " +
        '--allow-env=NODE_USE_SYSTEM_CA; or pass "tls.ca"'
      : "";
    return new FalcoError(`Cannot deliver to ${this.#name}: ${message}${remedy}`, { cause });
  }

  async #makeAgent(): Promise<Agent> {
    const keep = { keepAlive: true, maxSockets: 1 };
    if (this.#url.protocol === "http:") return new Agent(keep);
    const fail: PemFailure = (problem, cause) => {
      throw new FalcoError(`Cannot deliver to ${this.#name}: ${problem}`, { cause });
    };
    const Secure = tcpFirst ? TcpFirstAgent : TlsAgent;
    return new Secure({ ...keep, ...await loadSinkTls(this.#options.tls, fail) });
  }
}

/** `Retry-After` has seconds, or a date by the receiver's own clock. */
function retryAfterMs(value: string | undefined, date: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value)
    ? Number(value) * 1000
    : Date.parse(value) - Date.parse(date ?? "");
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}
