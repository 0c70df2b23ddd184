/** What `outputs.get()` does with its call. @module */
import type { StreamCall } from "../transport/stream_call.ts";
import type { Backoff } from "./backoff.ts";
import type { CallBehaviour, CallContext } from "./call_source.ts";
import { isUnimplemented, noServiceError } from "./no_service_error.ts";
import { mayPass } from "./may_pass.ts";

/** An encoded request of either service: without fields, it asks for what is queued. */
const REQUEST = new Uint8Array();

/** One call that drains Falco's queue, and one more if Falco has the other service. */
export class GetBehaviour implements CallBehaviour {
  readonly #context: CallContext;
  readonly #backoff: Backoff | undefined;
  #open = false;

  /**
   * @param context What calls share.
   * @param backoff How to wait for a connection; undefined to fail at once.
   */
  constructor(context: CallContext, backoff: Backoff | undefined) {
    this.#context = context;
    this.#backoff = backoff;
  }

  /** @inheritdoc */
  get method(): string {
    return this.#context.outputs.getMethod;
  }

  /** @inheritdoc */
  opened(call: StreamCall): void {
    this.#open = true;
    call.send(REQUEST, true);
  }

  /** @inheritdoc */
  received(): void {
    this.#context.outputs.accept();
  }

  /** @inheritdoc */
  ended(error: unknown): number | undefined {
    if (isUnimplemented(error)) {
      if (!this.#context.outputs.decline(error.method)) throw noServiceError(this.method, error);
      return 0;
    }
    // What Falco has sent already would be missing from a second call.
    if (error === undefined || this.#open || !mayPass(error, false)) return undefined;
    return this.#backoff?.next();
  }
}
