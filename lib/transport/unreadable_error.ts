/** An answer that cannot be read, in words a user can act on. @module */
import { FalcoRpcError } from "../errors.ts";

/** What to do about it, by how the problem begins. Falco itself only sends messages that are too long. */
const remedies: readonly (readonly [start: string, remedy: string])[] = [
  ["the message has", "That alert is lost; raise maxMessageBytes of connect() for others like it"],
  [
    "a message is not",
    'That alert is lost; transport "own" of connect() takes whatever Falco sends',
  ],
  ["", "Falco sends nothing of that kind: check the address, and what stands between"],
];

/**
 * Makes the error for an answer that cannot be read.
 *
 * @param method The method that was called, without the leading slash.
 * @param status The gRPC status to report it under.
 * @param problem What is wrong with it, a clause without a full stop.
 * @param cause The error below, if there is one.
 * @returns The error to hand to the user.
 */
export function unreadableError(
  method: string,
  status: number,
  problem: string,
  cause?: unknown,
): FalcoRpcError {
  // A version is no alert, and no Falco's is too long or not to be decoded.
  const isAlert = !method.startsWith("falco.version.");
  const remedy =
    remedies.find(([start]) => start === "" || isAlert && problem.startsWith(start))![1];
  return new FalcoRpcError(`Cannot read the answer of ${method}: ${problem}. ${remedy}`, {
    method,
    status,
    cause,
  });
}
