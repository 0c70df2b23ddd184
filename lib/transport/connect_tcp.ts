/** A TCP connection, for TLS to run on. @module */
import { connect } from "node:net";
import type { Socket } from "node:net";

/**
 * Whether TCP has to be connected before a TLS socket is made.
 *
 * Deno 2.9 never frees a TLS socket that was closed before it had a connection, nor what listens to
 * it: 13 KB of ours with each attempt while the other side is away. The other runtimes do.
 */
export const tcpFirst: boolean = "Deno" in globalThis;

/**
 * Connects, and leaves what comes to whoever takes the socket over.
 *
 * @param place Where to.
 * @param signals Each ends the attempt.
 * @returns The socket. An error of it is not thrown: whoever runs on it hears of its end.
 * @throws {Error} If there is no connection, with the code of the system; the reason of the signal
 * that ended it. Nothing is left of the socket then.
 */
export function connectTcp(
  { host, port }: { readonly host: string; readonly port: number },
  signals: readonly AbortSignal[],
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    for (const signal of signals) signal.throwIfAborted();
    const socket = connect({ host, port });
    let failure: unknown;
    function onAbort(this: AbortSignal): void {
      failure ??= this.reason;
      socket.destroy();
    }
    const settle = (): void => {
      for (const signal of signals) signal.removeEventListener("abort", onAbort);
    };
    for (const signal of signals) signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", (error) => failure ??= error);
    socket.once("close", () => {
      settle();
      reject(failure ?? new Error("the connection was closed"));
    });
    socket.once("connect", () => {
      settle();
      if (!socket.destroyed) resolve(socket);
    });
  });
}
