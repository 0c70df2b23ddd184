/** Lets the rest of the program have its turn. @module */
import type { CancelTimer } from "../../clock.ts";

interface Platform {
  readonly setImmediate?: (callback: () => void) => unknown;
  readonly clearImmediate?: (id: unknown) => void;
  readonly MessageChannel: new () => {
    readonly port1: Pick<MessagePort, "onmessage" | "close">;
    readonly port2: Pick<MessagePort, "postMessage">;
  };
}

// Taken at once, so that a test that replaces the timers of the platform later does not stop streams.
const { setImmediate, clearImmediate, MessageChannel } = globalThis as unknown as Platform;
const ownPlatform: Platform = setImmediate === undefined || clearImmediate === undefined
  ? { MessageChannel }
  : { setImmediate, clearImmediate, MessageChannel };

/**
 * Calls back when timers and sockets have had a chance, without waiting any longer than that.
 *
 * `setTimeout` would wait for 1 to 4 ms. Where there is no `setImmediate`, in browsers, a message to
 * oneself does it.
 *
 * @param callback What to call.
 * @param platform For tests.
 * @returns Takes it back; then nothing is left that keeps a process alive.
 */
export function nextTurn(callback: () => void, platform: Platform = ownPlatform): CancelTimer {
  const { setImmediate, clearImmediate, MessageChannel } = platform;
  if (setImmediate !== undefined) {
    const id = setImmediate(callback);
    return () => clearImmediate?.(id);
  }
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(undefined);
  return () => {
    // A message that is under way can still come after close().
    port1.onmessage = null;
    port1.close();
  };
}
