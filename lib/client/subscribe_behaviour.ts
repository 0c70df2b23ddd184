/** What a subscription does with its calls. @module */
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { StreamCall } from "../transport/stream_call.ts";
import { connectionError } from "../transport/connection_error.ts";
import type { Backoff } from "./backoff.ts";
import type { CallBehaviour, CallContext } from "./call_source.ts";
import { mayPass } from "./may_pass.ts";
import { isUnimplemented, noServiceError } from "./no_service_error.ts";
import type { PollPacer } from "./poll_pacer.ts";
import type { SubscribeMethod } from "./status.ts";
import { StatusLog } from "./status_log.ts";

/** An encoded request of either service: it has no fields, or those it has are false. */
const REQUEST = new Uint8Array();

/**
 * Polls, and opens a call again when one is over.
 *
 * Falco 0.24 and later answer any number of requests in one call. To the first service (0.18 to 0.23)
 * each request is a call of its own, which gives what is queued and ends; its `keepalive` is never
 * used, as it costs Falco a core and loses alerts.
 */
export class SubscribeBehaviour implements CallBehaviour {
  /** What becomes of the connection. */
  readonly status = new StatusLog();
  readonly #context: CallContext;
  readonly #clock: Clock;
  readonly #pacer: PollPacer;
  readonly #backoff: Backoff | undefined;
  readonly #received: () => number;
  #polls = 0;
  #reconnects = 0;
  #gaps = 0;
  /** The method that the status says is open. */
  #open: SubscribeMethod | undefined;
  #openedAt = 0;
  #wasOpen = false;
  /** When the connection was lost that is not open again yet. */
  #lostAt: number | undefined;

  /**
   * @param context What calls share.
   * @param pacer When to ask.
   * @param backoff When to connect again; undefined for never.
   * @param received How many alerts have come so far.
   */
  constructor(
    context: CallContext,
    pacer: PollPacer,
    backoff: Backoff | undefined,
    received: () => number,
  ) {
    this.#context = context;
    this.#clock = context.clock ?? systemClock;
    this.#pacer = pacer;
    this.#backoff = backoff;
    this.#received = received;
  }

  /** How many requests were sent. */
  get polls(): number {
    return this.#polls;
  }

  /** How many attempts were made after the first. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /** How often it was open again. */
  get gaps(): number {
    return this.#gaps;
  }

  /** @inheritdoc */
  get method(): SubscribeMethod {
    return this.#context.outputs.subscribeMethod;
  }

  /** @inheritdoc */
  opening(): void {
    const { manager } = this.#context;
    if (this.#open !== undefined) {
      // Between two calls to the first service nobody else would notice.
      if (!manager.connected) throw connectionError(manager.address, undefined, "open");
      return;
    }
    const attempt = this.#backoff?.attempt ?? 1;
    this.status.report({
      type: "connecting",
      atMs: this.#clock.now(),
      address: manager.tried,
      attempt,
    });
  }

  /** @inheritdoc */
  opened(call: StreamCall): void {
    const atMs = this.#clock.now();
    const service = this.method;
    if (this.#open !== service) {
      if (this.#open === undefined) this.#openedAt = atMs;
      this.#open = service;
      const address = this.#context.manager.address.text;
      this.status.report({ type: "open", atMs, address, service });
    }
    this.#wasOpen = true;
    if (this.#lostAt !== undefined) {
      const lostMs = Math.max(atMs - this.#lostAt, 0);
      this.#lostAt = undefined;
      this.#gaps++;
      this.status.report({ type: "gap", atMs, lostMs, received: this.#received() });
    }
    if (this.#context.outputs.isFirst) this.#ask(call, true);
  }

  /** @inheritdoc */
  received(): void {
    this.#context.outputs.accept();
    this.#pacer.received(this.#clock.now());
  }

  /** @inheritdoc */
  idle(call: StreamCall): number | undefined {
    if (this.#context.outputs.isFirst) return undefined;
    // Never the last request: Falco would not end a call that is half-closed.
    if (this.#pacer.delay(this.#clock.now()) === 0) this.#ask(call, false);
    return this.#pacer.delay(this.#clock.now());
  }

  #ask(call: StreamCall, last: boolean): void {
    call.send(REQUEST, last);
    this.#polls++;
    this.#pacer.asked(this.#clock.now());
  }

  /** @inheritdoc */
  ended(error: unknown, atMs: number): number | undefined {
    const { outputs } = this.#context;
    if (isUnimplemented(error)) {
      if (!outputs.decline(error.method)) throw noServiceError(this.method, error);
      return 0;
    }
    outputs.accept();
    if (error === undefined && this.#open !== undefined && outputs.isFirst) {
      return this.#pacer.delay(this.#clock.now());
    }
    if (this.#open !== undefined) {
      this.#open = undefined;
      this.#lostAt = atMs;
      if (this.#backoff !== undefined && atMs - this.#openedAt >= this.#backoff.healthyAfterMs) {
        this.#backoff.reset();
      }
    }
    if (error !== undefined && !mayPass(error, this.#wasOpen)) return undefined;
    const delayMs = this.#backoff?.next();
    if (this.#backoff === undefined || delayMs === undefined) return undefined;
    this.#reconnects++;
    this.status.report({
      type: "reconnecting",
      atMs: this.#clock.now(),
      attempt: this.#backoff.attempt,
      delayMs,
      error: error as Error | undefined,
    });
    return delayMs;
  }

  /** @inheritdoc */
  closed(error: Error | undefined): void {
    this.status.report({ type: "closed", atMs: this.#clock.now(), error });
  }
}
