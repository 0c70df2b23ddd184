/** Whether clients have left in order. @module */
import { FalcoError } from "../lib/errors.ts";
import type { FalcoServices } from "../lib/server/falco_services.ts";
import type { CallLog } from "./call_log.ts";
import type { Violation } from "./violation.ts";
import { waitUntil } from "./wait_until.ts";

/** How long disposal waits for the news that a client has just hung up, in milliseconds. */
const GOODBYE_MS = 1000;

/**
 * Looks for calls that clients have not closed; one that has just hung up is told of by its socket a
 * moment later.
 *
 * @param services What serves them; undefined if there is no gRPC.
 * @param log Tells when something changes.
 * @returns Their names.
 */
export async function callsLeftOpen(
  services: FalcoServices | undefined,
  log: CallLog,
): Promise<readonly string[]> {
  if (services === undefined) return [];
  await waitUntil(() => services.openCalls.length === 0, {
    onEvent: (listener) => log.onEvent(listener),
    timeoutMs: GOODBYE_MS,
  }).catch(() => {});
  return services.openCalls;
}

/**
 * Fails a test whose client has left things behind.
 *
 * @param open Calls that were left open.
 * @param violations What clients did wrong, if that counts.
 * @throws {FalcoError} If there is any of both.
 */
export function requireOrder(open: readonly string[], violations: readonly Violation[]): void {
  if (open.length > 0) {
    throw new FalcoError(
      `Cannot dispose of the fake Falco in order: clients left calls open ` +
        `(${open.join(", ")}). Close them or cancel their streams first`,
    );
  }
  if (violations.length > 0) {
    const sentences = violations.map(({ message, fact }) => `${message}. ${fact}`);
    throw new FalcoError(`Cannot dispose of the strict fake Falco: ${sentences.join(". ")}`);
  }
}
