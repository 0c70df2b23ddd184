/** What `connect()` returns. @module */
import { systemClock, wait } from "../clock.ts";
import type { CancelTimer } from "../clock.ts";
import { FalcoClosedError, FalcoConnectError } from "../errors.ts";
import { EventStream } from "../streams/engine/event_stream.ts";
import { singleCall } from "../transport/single_call.ts";
import { Backoff } from "./backoff.ts";
import type { ReconnectOptions } from "./backoff.ts";
import { CallSource } from "./call_source.ts";
import type { CallContext } from "./call_source.ts";
import type { FalcoClient, FalcoOutputs, VersionOptions } from "./connect.ts";
import { readVersion, VERSION } from "./falco_version.ts";
import type { FalcoVersion } from "./falco_version.ts";
import { GetBehaviour } from "./get_behaviour.ts";
import { mayPass } from "./may_pass.ts";
import { Subscription } from "./subscription.ts";

/** A client over one connection. */
export class Client implements FalcoClient {
  readonly outputs: FalcoOutputs;
  readonly #context: CallContext;
  readonly #sources = new Set<CallSource | Subscription>();
  /** Ends what waits for a connection. */
  readonly #closing = new AbortController();

  /** @param context The connection, and what its calls share. */
  constructor(context: CallContext) {
    this.#context = context;
    let subscription: Subscription | undefined;
    this.outputs = {
      get: (options = {}) => {
        this.#refuseClosed();
        const behaviour = new GetBehaviour(context, this.#backoff(options.waitForReady));
        const source = new CallSource(context, behaviour, options);
        this.#track(source);
        return new EventStream(source);
      },
      subscribe: (options) => {
        this.#refuseClosed();
        if (subscription !== undefined) {
          throw new TypeError(
            `Cannot subscribe to ${this.address} twice: all subscriptions of a Falco share one ` +
              "queue, so each would get a part. Give one to several readers with " +
              "broadcastReadableStream",
          );
        }
        const opened = subscription = new Subscription(context, options);
        this.#track(opened);
        void opened.closed.then(() => subscription = undefined);
        return opened;
      },
    };
  }

  /** @inheritdoc */
  get address(): string {
    return this.#context.manager.address.text;
  }

  /** @inheritdoc */
  async version(options: VersionOptions = {}): Promise<FalcoVersion> {
    const { signal, timeoutMs = 10_000, waitForReady } = options;
    if (!(timeoutMs > 0)) {
      throw new RangeError(
        `Cannot ask for the version as "timeoutMs" must be above 0: it is ${timeoutMs}`,
      );
    }
    const backoff = this.#backoff(waitForReady);
    for (;;) {
      this.#refuseClosed();
      try {
        return await this.#askVersion(signal, timeoutMs);
      } catch (error) {
        const delayMs = mayPass(error, false) ? backoff?.next() : undefined;
        if (delayMs === undefined) throw error;
        await this.#pause(delayMs, signal);
      }
    }
  }

  async #askVersion(signal: AbortSignal | undefined, timeoutMs: number): Promise<FalcoVersion> {
    const { manager, maxMessageBytes, clock = systemClock } = this.#context;
    const limit = new AbortController();
    let cancelTimer: CancelTimer = () => {};
    let isOver = false;
    // The connection has a limit of its own, and tells its failure to the call.
    manager.session().then(() => {
      if (!isOver) cancelTimer = clock.setTimer(() => limit.abort(), timeoutMs);
    }, () => {});
    try {
      const ended = signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]);
      const options = { maxMessageBytes, signal: ended };
      return readVersion(await singleCall(manager, VERSION, options));
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      this.#refuseClosed();
      throw limit.signal.aborted ? this.#noAnswer(timeoutMs) : error;
    } finally {
      isOver = true;
      cancelTimer();
    }
  }

  #noAnswer(timeoutMs: number): FalcoConnectError {
    return new FalcoConnectError(
      `Cannot ask ${this.address} for its version: no answer within ${timeoutMs} ms. Falco lets ` +
        "calls wait while all its slots are taken: close other clients, or raise grpc.threadiness",
      { address: this.address, reason: "timeout", passing: true },
    );
  }

  async #pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    const closing = this.#closing.signal;
    await wait(delayMs, {
      clock: this.#context.clock ?? systemClock,
      signal: signal === undefined ? closing : AbortSignal.any([closing, signal]),
    });
  }

  #backoff(waitForReady: boolean | ReconnectOptions | undefined): Backoff | undefined {
    if (waitForReady === undefined || waitForReady === false) return undefined;
    const options = waitForReady === true ? {} : waitForReady;
    return new Backoff(options, this.#context.clock ?? systemClock);
  }

  /** @inheritdoc */
  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) this.#closing.abort(this.#closedError());
    await Promise.all([...this.#sources].map((source) => source.close()));
    await this.#context.manager.close();
  }

  /** The same as `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #track(source: CallSource | Subscription): void {
    this.#sources.add(source);
    void source.closed.then(() => this.#sources.delete(source));
  }

  #refuseClosed(): void {
    if (this.#closing.signal.aborted) throw this.#closedError();
  }

  #closedError(): FalcoClosedError {
    return new FalcoClosedError(
      `Cannot call ${this.address}: the client is closed. Make a new one with connect()`,
    );
  }
}
