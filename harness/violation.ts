/** What clients do wrong with a Falco. @module */
import { FalcoError } from "../lib/errors.ts";

/**
 * The kinds of {@linkcode Violation}.
 *
 * @example
 * ```ts
 * import type { ViolationKind } from "@falco-streams/core/harness";
 *
 * const mine: ViolationKind[] = ["never-pulled", "half-closed"];
 * console.assert(mine.length === 2);
 * ```
 */
export type ViolationKind =
  /** A `sub` that was sent no request while alerts waited. */
  | "never-pulled"
  /** More than 100 requests a second that found nothing. */
  | "pulled-too-fast"
  /** Two calls that drain the one queue. */
  | "competing-consumers"
  /** A `sub` whose client said that no more requests follow. */
  | "half-closed"
  /** Bytes that are no request. */
  | "undecodable"
  /** A request with something in it. */
  | "request-not-empty"
  /** A method that this Falco does not have. */
  | "unknown-method"
  /** Not POST, no `te: trailers`, or too much metadata. */
  | "refused-headers"
  /** More calls of a method than Falco serves at once. */
  | "no-slot"
  /** A call that ended while alerts were on their way to it. */
  | "cancelled-mid-drain"
  /** PINGs that come too early. */
  | "ping-abuse"
  /** TLS that could not be agreed on. */
  | "handshake-failed";

/**
 * Something that a client did and that a real Falco takes amiss, or lets it pay for.
 *
 * @example
 * ```ts
 * import { FakeFalco } from "@falco-streams/core/harness";
 * import type { Violation } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const fake = await FakeFalco.start();
 * const violations: readonly Violation[] = fake.violations();
 * assert.deepEqual(violations, []);
 * await fake.stop();
 * ```
 */
export interface Violation {
  /** Which kind. */
  readonly kind: ViolationKind;
  /** What the client did, the first time: a sentence. */
  readonly message: string;
  /** What a real Falco does about it: a sentence. */
  readonly fact: string;
  /** How often it happened. */
  readonly count: number;
}

/** What a real Falco does. Measured on 0.43.1 unless it says otherwise. */
const facts: Readonly<Record<ViolationKind, string>> = {
  "never-pulled": "Falco sends nothing on sub until the client sends a request",
  "pulled-too-fast":
    "Falco does not answer a request that finds the queue empty, and each costs processor time: " +
    "3.7 % of a core at 1 ms. A poll interval of 100 ms to 1 s is usual",
  "competing-consumers":
    "Falco has one queue: each alert goes to one of the calls that drain it, not to all",
  "half-closed": "Falco never ends a sub that was half-closed: it hangs until it is cancelled",
  "undecodable": "Falco answers get and version with status 13, and falls silent on sub",
  "request-not-empty": "Falco's requests have no fields; what is in them is skipped",
  "unknown-method": "Falco answers with status 12 (unimplemented) and no words",
  "refused-headers":
    "gRPC calls are POST with te: trailers, else Falco answers with status 2; more than 8 KiB of " +
    "metadata is answered with status 8",
  "no-slot":
    "Falco serves threadiness * 10 calls of a method; more wait without a word until one ends",
  "cancelled-mid-drain":
    "Falco loses the alerts that were on their way to a call that is cancelled",
  "ping-abuse":
    "Falco's gRPC server allows one PING in 300 s on a connection without traffic (two hours if no " +
    "call is open), and closes it with GOAWAY ENHANCE_YOUR_CALM at the third that comes too early",
  "handshake-failed":
    "Falco's TLS is mutual: a client without a certificate of the right authority is cut off",
};

/** Collects violations: one entry for each kind, and how often. */
export class ViolationLog {
  readonly #found = new Map<string, { -readonly [key in keyof Violation]: Violation[key] }>();

  /** @param found What was found before. */
  constructor(found: readonly Violation[] = []) {
    for (const violation of found) this.#found.set(violation.kind, { ...violation });
  }

  /** What was found, in the order of the first times. */
  get all(): Violation[] {
    return [...this.#found.values()].map((violation) => ({ ...violation }));
  }

  /**
   * Notes a violation.
   *
   * @param kind Its kind.
   * @param message A sentence. Further ones of this kind count on the first.
   */
  add(kind: ViolationKind, message: string): void {
    const known = this.#found.get(kind);
    if (known !== undefined) known.count++;
    else this.#found.set(kind, { kind, message, fact: facts[kind], count: 1 });
  }

  /** Forgets all. */
  clear(): void {
    this.#found.clear();
  }
}

/**
 * Makes the error that the disposal of a strict fake fails with.
 *
 * @param violations What was found.
 */
export function violationsError(violations: readonly Violation[]): FalcoError {
  const sentences = violations.map(({ message, fact }) => `${message}. ${fact}`);
  return new FalcoError(`Cannot dispose of the strict fake Falco: ${sentences.join(". ")}`);
}
