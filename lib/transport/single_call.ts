/** A gRPC call with one answer. @module */
import { ClientCall } from "./client_call.ts";
import type { SessionManager } from "./session_manager.ts";
import { unreadableError } from "./unreadable_error.ts";

const INTERNAL = 13;

/** Options of {@linkcode singleCall}. */
export interface SingleCallOptions {
  /** The longest answer to accept, in bytes. */
  readonly maxMessageBytes: number;
  /** Cancels the call. */
  readonly signal: AbortSignal;
}

/**
 * Sends an empty request and waits for the answer, and for the status after it.
 *
 * @param manager The connection.
 * @param method The method without the leading slash.
 * @param options See {@linkcode SingleCallOptions}.
 * @returns The answer's bytes.
 * @throws {FalcoConnectError} If there is no connection to be had, or it is lost.
 * @throws {FalcoRpcError} If the server answers with another status than OK, or not with one message.
 * @throws The signal's reason, if it was cancelled.
 */
export async function singleCall(
  manager: SessionManager,
  method: string,
  options: SingleCallOptions,
): Promise<Uint8Array> {
  const { maxMessageBytes, signal } = options;
  const cancelled = Promise.withResolvers<never>();
  cancelled.promise.catch(() => {}); // the call may be over by then
  const onAbort = (): void => cancelled.reject(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener("abort", onAbort, { once: true });
  const starting = ClientCall.start(manager, method, { maxMessageBytes });
  let isOver = false;
  try {
    const call = await Promise.race([starting, cancelled.promise]);
    call.send(new Uint8Array(), true);
    const answers: Uint8Array[] = [];
    while (answers.length < 2) {
      const messages = call.take();
      if (messages === null) {
        isOver = true;
        break;
      }
      if (messages !== undefined) answers.push(...messages);
      else await Promise.race([readiness(call), cancelled.promise]);
    }
    const [answer] = answers;
    if (answer !== undefined && answers.length === 1) return answer;
    const problem = answer === undefined ? "there is none" : "it has more than one message";
    throw unreadableError(method, INTERNAL, problem);
  } finally {
    signal.removeEventListener("abort", onAbort);
    if (!isOver) starting.then((call) => call.cancel(), () => {});
  }
}

function readiness(call: ClientCall): Promise<void> {
  return new Promise((resolve) => call.onReady(resolve));
}
