/** One error for several addresses that were tried. @module */
import { FalcoConnectError } from "../errors.ts";
import type { FalcoConnectReason } from "../errors.ts";

/** What says most about a Falco, first: a socket that is there says more than one that is not. */
const reasons: readonly FalcoConnectReason[] = [
  "permission",
  "tls",
  "protocol",
  "timeout",
  "lost",
  "refused",
  "not-found",
];

/**
 * Picks the failure to report, and adds what became of the others.
 *
 * @param failures One for each address, at least one.
 * @returns The most telling one, of equals the first.
 */
export function mostTelling(failures: readonly FalcoConnectError[]): FalcoConnectError {
  const [first, ...others] = failures;
  if (first === undefined || others.length === 0) return first!;
  let best = first;
  for (const failure of others) if (rank(failure) < rank(best)) best = failure;
  const tried = failures.map(({ address, reason }) => `${address} (${reason})`).join(" and ");
  return new FalcoConnectError(`${best.message}. Tried ${tried}`, {
    address: best.address,
    reason: best.reason,
    // It is enough if one of them comes up.
    passing: failures.some(({ passing }) => passing),
    cause: best.cause ?? best,
  });
}

function rank({ reason, cause }: FalcoConnectError): number {
  // Deno was not told of this address: that says nothing about Falco.
  if ((cause as Error | undefined)?.name === "NotCapable") return reasons.length;
  return reasons.indexOf(reason);
}
