/** What a behaviour of Falco is, in the contract suite. @module */
import type { ContractScene } from "./contract_scene.ts";

/**
 * The part of Falco that a {@linkcode ContractBehaviour} is about.
 *
 * @example
 * ```ts
 * import type { ContractSection } from "@falco-streams/core/harness";
 *
 * const pulls: ContractSection[] = ["sub", "get"];
 * console.assert(pulls.length === 2);
 * ```
 */
export type ContractSection =
  | "sub"
  | "get"
  | "subscribe"
  | "version"
  | "alerts"
  | "calls"
  | "connection"
  | "TLS"
  | "unix socket"
  | "slots"
  | "stop"
  | "no gRPC";

/**
 * What a target must offer for a behaviour to be checked:
 *
 * - `alerts`: it may take alerts out of the queue, which are then lost for everybody else
 * - `push`, `reload`, `stop`: the methods of that name in {@linkcode ContractTarget}
 * - `threadiness`: the option of that name
 * - `tls`, `unix`: an address of that kind
 *
 * @example
 * ```ts
 * import type { ContractNeed } from "@falco-streams/core/harness";
 *
 * const needs: ContractNeed[] = ["push"];
 * console.assert(needs.length === 1);
 * ```
 */
export type ContractNeed =
  | "alerts"
  | "push"
  | "reload"
  | "stop"
  | "threadiness"
  | "tls"
  | "unix";

/**
 * One thing that Falco does on the wire, by name, and how it is looked at.
 *
 * @example What would be checked, without checking it
 * ```ts
 * import { contractBehaviours } from "@falco-streams/core/harness";
 * import type { ContractBehaviour } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const about: readonly ContractBehaviour[] = contractBehaviours.filter(
 *   ({ section }) => section === "sub",
 * );
 * assert(about.some(({ name }) => name === "sub sends nothing without a request"));
 * ```
 */
export interface ContractBehaviour {
  /** What Falco does, as a sentence. No two are the same. */
  readonly name: string;
  /** What it is about. */
  readonly section: ContractSection;
  /** How it is looked at over the wire. */
  readonly check: string;
  /** Where the fact comes from: measured on a real Falco, or read in its source. */
  readonly source: string;
  /** The second number of the first and the last version that do so; the first with gRPC was 0.18. */
  readonly minors: readonly [from: number, to: number];
  /** What the target must offer. */
  readonly needs: readonly ContractNeed[];
}

/** A behaviour, with the code that looks at it. */
export interface RunnableBehaviour extends ContractBehaviour {
  /**
   * Looks at it.
   *
   * @param scene The target and what is needed to talk to it.
   * @throws {Difference} If the target does something else.
   */
  run(scene: ContractScene): Promise<void>;
}

/** The versions with `sub` and `get`. */
export const current = [24, 43] as const;

/** The versions with `subscribe`. */
export const legacy = [18, 23] as const;

/** Where most facts come from. */
export const measured = "measured on 0.43.1";
