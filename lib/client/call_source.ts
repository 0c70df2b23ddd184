/** A streaming call as a source of alerts. @module */
import type { Alert } from "../alert/alert.ts";
import { systemClock } from "../clock.ts";
import type { CancelTimer, Clock } from "../clock.ts";
import type { AlertFormatError } from "../errors.ts";
import type { BatchSource } from "../streams/engine/batch_source.ts";
import { ClientCall } from "../transport/client_call.ts";
import type { SessionManager } from "../transport/session_manager.ts";
import { AlertDecoder } from "./alert_decoder.ts";

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
   */
  onInvalid?: (error: AlertFormatError, message: Uint8Array) => void;
}

/** What `get` and `sub` do differently. */
export interface CallBehaviour {
  /** The method, without the leading slash. */
  readonly method: string;
  /** The call has been opened. */
  opened?(call: ClientCall): void;
  /** Alerts came. */
  received?(): void;
  /**
   * A reader waits and there is nothing for it.
   *
   * @returns After how many milliseconds to be called again; undefined to wait for alerts alone.
   */
  idle?(call: ClientCall): number | undefined;
}

/** What a client's calls share. */
export interface CallContext {
  readonly manager: SessionManager;
  readonly maxMessageBytes: number;
  readonly clock?: Clock | undefined;
}

/**
 * Opens a call with the first pull, and hands over what each read of the socket brings.
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
  #call: ClientCall | undefined;
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

  /** Alerts that had arrived and were thrown away because the reader left. */
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
      if (this.#call === undefined) {
        if (this.#outcome !== undefined) return null;
        await this.#open();
        continue;
      }
      const messages = this.#call.take();
      if (messages === null) return null;
      if (messages === undefined) {
        await this.#wait(this.#call, this.#behaviour.idle?.(this.#call));
        continue;
      }
      this.#behaviour.received?.();
      const alerts = this.#decode(messages);
      if (alerts.length > 0) return alerts;
    }
  }

  #decode(messages: readonly Uint8Array[]): Alert[] {
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

  /** Opens the call, but does not keep a reader that leaves meanwhile waiting for the connection. */
  async #open(): Promise<void> {
    const { manager, maxMessageBytes } = this.#context;
    const { method } = this.#behaviour;
    const starting = ClientCall.start(manager, method, { maxMessageBytes });
    const left = new Promise<undefined>((resolve) => this.#wake = () => resolve(undefined));
    const call = await Promise.race([starting, left]);
    if (call === undefined || this.#outcome !== undefined) {
      starting.then((late) => late.cancel(), () => {}); // nobody waits for it any more
      return;
    }
    this.#call = call;
    this.#behaviour.opened?.(call);
  }

  #wait(call: ClientCall, delayMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      let cancelTimer: CancelTimer = () => {};
      this.#wake = () => {
        cancelTimer();
        call.onReady(undefined);
        this.#wake = () => {};
        resolve();
      };
      call.onReady(this.#wake);
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
    this.#resolveClosed(outcome.error as Error | undefined);
    this.#wake();
  }
}
