/** The way back over a faulty wire. @module */
import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { wait } from "../../lib/clock.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Fault } from "./fault.ts";

/**
 * Passes on what a server sends until either side is gone.
 *
 * @param far The connection to the server.
 * @param near The connection to the client.
 * @param faults What goes wrong on the way, of the kinds `split`, `stall` and `truncate`.
 * @param clock Time for pauses.
 * @returns A promise that resolves when there is no more to pass on. Never rejects.
 */
export async function relayBytes(
  far: Socket,
  near: Socket,
  faults: readonly Fault[],
  clock: Clock,
): Promise<void> {
  const gone = new AbortController();
  near.once("close", () => gone.abort());
  let passed = 0;
  const split = faults.find((fault) => fault.type === "split");
  const stops = new Map<number, Fault>();
  for (const fault of faults) {
    const isStop = fault.type === "stall" || fault.type === "truncate";
    if (isStop && fault.afterBytes !== undefined) stops.set(fault.afterBytes, fault);
  }
  try {
    for await (const chunk of far as AsyncIterable<Uint8Array>) {
      for (let at = 0; at < chunk.length;) {
        const next = Math.min(...stops.keys(), Infinity);
        const end = Math.min(chunk.length, at + (split?.bytes ?? Infinity), at + next - passed);
        const piece = chunk.subarray(at, end);
        at = end;
        passed += piece.length;
        if (split !== undefined) {
          await written(near, piece, gone.signal);
          await pause(split.everyMs ?? 0, clock, gone.signal);
        } else if (!near.write(piece)) {
          await once(near, "drain", { signal: gone.signal });
        }
        const stop = stops.get(passed);
        if (stop === undefined) continue;
        stops.delete(passed);
        await stand(stop, near, clock, gone.signal);
      }
    }
    near.end();
  } catch {
    // One of the two is gone, and takes the other one with it.
    near.destroy();
  }
}

/** Writes, and waits until it has left. */
function written(near: Socket, piece: Uint8Array, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onGone = () => reject(signal.reason);
    signal.addEventListener("abort", onGone, { once: true });
    near.write(piece, () => {
      signal.removeEventListener("abort", onGone);
      resolve();
    });
  });
}

/** Stands still as a fault wants it. */
async function stand(fault: Fault, near: Socket, clock: Clock, signal: AbortSignal): Promise<void> {
  if (fault.type === "stall" && fault.forMs !== undefined) {
    return await wait(fault.forMs, { clock, signal });
  }
  if (fault.type === "truncate" && fault.then !== "silence") near.end(() => near.destroy());
  await new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Long enough that what comes next comes by itself. */
async function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  if (ms > 0) await wait(ms, { clock, signal });
  // Not an immediate: on Deno 2.9 several of them pass before sockets are looked at.
  else await setTimeout(0);
}
