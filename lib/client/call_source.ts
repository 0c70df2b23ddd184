/** A streaming call as a source of alerts. @module */
import type { Alert } from "../alert/alert.ts";
import { systemClock } from "../clock.ts";
import type { CancelTimer, Clock } from "../clock.ts";
import { FalcoRpcError } from "../errors.ts";
import type { AlertFormatError } from "../errors.ts";
import type { BatchSource } from "../streams/engine/batch_source.ts";
import { FramingError } from "../transport/message_splitter.ts";
import type { SessionManager } from "../transport/session_manager.ts";
import type { StreamCall, StreamMessage } from "../transport/stream_call.ts";
import { AlertDecoder } from "./alert_decoder.ts";
import type { OutputsService } from "./outputs_service.ts";

/**
 * What `get` and `subscribe` have in common, as options.
 *
 * @example Stop at the first message that is no alert
 * ```ts
 * import type { CallOptions } from "@falco-streams/core";
 *
 * const options: CallOptions = {
 *   signal: AbortSignal.timeout(5000),
 *   onInvalid(error) {
 *     throw error;
 *   },
 * };
 * console.assert(!options.signal?.aborted);
 * ```
 */
export interface CallOptions {
  /** Ends the call: the stream fails with `signal.reason`. */
  signal?: AbortSignal;
  /**
   * Called with each message that is no alert. It is skipped and counted; without this, only the
   * count tells of it. What it throws becomes the error of the stream, after the alerts before it.
   *
   * A message above `maxMessageBytes`, and one that breaks gRPC's framing, is not skipped: it ends
   * the call. It is counted and reported all the same, with no bytes; then `get()` fails, and a
   * subscription connects again. What Falco had sent behind it is lost.
   */
  onInvalid?: (error: AlertFormatError, message: Uint8Array) => void;
}

/** What `get` and `sub` do differently. */
export interface CallBehaviour {
  /** The method to call next, without the leading slash. */
  readonly method: string;
  /** A call is about to be opened. What it throws counts as the end of that call. */
  opening?(): void;
  /** The call has been opened. */
  opened(call: StreamCall): void;
  /** Alerts came. */
  received?(): void;
  /**
   * A reader waits and there is nothing for it.
   *
   * @returns After how many milliseconds to be called again; undefined to wait for alerts alone.
   */
  idle?(call: StreamCall): number | undefined;
  /**
   * A call is over that the reader still waits for, or could not be opened.
   *
   * @param error Why; undefined if it ended with OK.
   * @param atMs When.
   * @returns After how many milliseconds to open another; undefined if that was it. What it throws
   * stands in for `error`.
   */
  ended(error: unknown, atMs: number): number | undefined;
  /** It is over for good, with the error if there was one. */
  closed?(error: Error | undefined): void;
}

/** What a client's calls share. */
export interface CallContext {
  readonly manager: SessionManager;
  /** Starts a streaming call of a method, which is given without the leading slash. */
  startCall(method: string): Promise<StreamCall>;
  readonly outputs: OutputsService;
  readonly maxMessageBytes: number;
  readonly clock?: Clock | undefined;
}

/**
 * Opens a call with the first pull, hands over what each read of the socket brings, and opens the
 * next call if there is to be one.
 *
 * Only while a reader waits is anything asked of Falco, so backpressure reaches it.
 */
export class CallSource implements BatchSource<Alert> {
  /** Resolves when it is over, with the error if there was one. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** Decodes, and counts. */
  readonly decoder: AlertDecoder;
  readonly #context: CallContext;
  readonly #behaviour: CallBehaviour;
  readonly #signal: AbortSignal | undefined;
  #call: StreamCall | undefined;
  /** How it ended, once it is over. */
  #outcome: { readonly error?: unknown } | undefined;
  #dropped = 0;
  #resolveClosed: (error: Error | undefined) => void = () => {};
  /** Ends the wait of the pull that is under way. */
  #wake: () => void = () => {};

  /**
   * @param context The connection and its limits.
   * @param behaviour The method.
   * @param options The caller's signal and hook.
   */
  constructor(context: CallContext, behaviour: CallBehaviour, options: CallOptions) {
    this.#context = context;
    this.#behaviour = behaviour;
    this.decoder = new AlertDecoder(options.onInvalid);
    this.closed = new Promise((resolve) => this.#resolveClosed = resolve);
    this.#signal = options.signal;
    if (this.#signal?.aborted) this.#onAbort();
    else this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Alerts and other messages that had arrived, and were thrown away because the reader left. */
  get dropped(): number {
    return this.#dropped;
  }

  /** @inheritdoc */
  async pull(): Promise<Alert[] | null> {
    try {
      const alerts = await this.#next();
      if (alerts === null) this.#end({});
      return alerts;
    } catch (error) {
      this.#end({ error });
      await this.#leave(); // still open if `onInvalid` threw
      throw error;
    }
  }

  async #next(): Promise<Alert[] | null> {
    for (;;) {
      if (this.#outcome !== undefined && "error" in this.#outcome) throw this.#outcome.error;
      const call = this.#call;
      if (call === undefined) {
        if (this.#outcome !== undefined || !await this.#open()) return null;
        continue;
      }
      let messages;
      try {
        messages = call.take();
      } catch (error) {
        await this.#goOn(error, call.endedAtMs);
        continue;
      }
      if (messages === null) {
        if (this.#outcome !== undefined || !await this.#goOn(undefined, call.endedAtMs)) {
          return null;
        }
        continue;
      }
      if (messages === undefined) {
        await this.#wait(this.#behaviour.idle?.(call), call);
        continue;
      }
      this.#behaviour.received?.();
      const alerts = this.#decode(messages);
      if (alerts.length > 0) return alerts;
    }
  }

  #decode(messages: readonly StreamMessage[]): Alert[] {
    const alerts: Alert[] = [];
    const done = this.decoder.decoded + this.decoder.invalid;
    try {
      this.decoder.decode(messages, alerts);
    } catch (error) {
      this.#dropped += messages.length - (this.decoder.decoded + this.decoder.invalid - done);
      if (alerts.length === 0) throw error;
      // The next pull fails with it.
      this.#end({ error });
      void this.#leave();
    }
    return alerts;
  }

  /**
   * Opens a call, but does not keep a reader that leaves meanwhile waiting for the connection.
   *
   * @returns False if it is over.
   */
  async #open(): Promise<boolean> {
    let call: StreamCall | undefined;
    try {
      this.#behaviour.opening?.();
      const starting = this.#context.startCall(this.#behaviour.method);
      const left = new Promise<undefined>((resolve) => this.#wake = () => resolve(undefined));
      call = await Promise.race([starting, left]);
      if (call === undefined || this.#outcome !== undefined) {
        starting.then((late) => late.cancel(), () => {}); // nobody waits for it any more
        return true;
      }
    } catch (error) {
      return await this.#goOn(error);
    }
    this.#call = call;
    this.#behaviour.opened(call);
    return true;
  }

  /**
   * Waits until another call is due, now that one is over.
   *
   * @returns False if there is to be none, and there was no error.
   */
  async #goOn(error: unknown, atMs = this.#context.manager.now()): Promise<boolean> {
    this.#call = undefined;
    if (this.#outcome !== undefined) return true; // it is over anyway
    if (error instanceof FalcoRpcError && error.cause instanceof FramingError) {
      this.decoder.lose(error);
    }
    const delayMs = this.#behaviour.ended(error, atMs);
    if (delayMs === undefined) {
      if (error !== undefined) throw error;
      return false;
    }
    if (delayMs > 0) await this.#wait(delayMs);
    return true;
  }

  /** Waits for so long, for the call to have something, or for the end. */
  #wait(delayMs: number | undefined, call?: StreamCall): Promise<void> {
    return new Promise((resolve) => {
      let cancelTimer: CancelTimer = () => {};
      this.#wake = () => {
        cancelTimer();
        call?.onReady(undefined);
        this.#wake = () => {};
        resolve();
      };
      call?.onReady(this.#wake);
      if (delayMs !== undefined) {
        const { clock = systemClock } = this.#context;
        cancelTimer = clock.setTimer(this.#wake, delayMs);
      }
    });
  }

  /** Cancels the call: what has arrived can still be pulled, then comes the end of the stream. */
  async close(): Promise<void> {
    this.#end({});
    await this.#call?.cancel();
  }

  /** @inheritdoc */
  unread(count: number): void {
    this.#dropped += count;
  }

  /** Cancels the call, as nobody will pull any more. */
  async cancel(): Promise<void> {
    this.#end({});
    await this.#leave();
  }

  async #leave(): Promise<void> {
    this.#dropped += this.#call?.discard() ?? 0;
    await this.#call?.cancel();
  }

  readonly #onAbort = (): void => {
    this.#end({ error: this.#signal?.reason });
    void this.#leave();
  };

  #end(outcome: { readonly error?: unknown }): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#behaviour.closed?.(outcome.error as Error | undefined);
    this.#resolveClosed(outcome.error as Error | undefined);
    this.#wake();
  }
}
