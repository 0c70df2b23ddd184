/** The scenarios that come with the harness. @module */
import type { Scenario } from "../scenario.ts";
import { containerEscape } from "./container_escape.ts";
import { credentialTheft } from "./credential_theft.ts";
import { cryptoMiner } from "./crypto_miner.ts";
import { k8sAudit } from "./k8s_audit.ts";
import { noisyStorm } from "./noisy_storm.ts";
import { shellInContainer } from "./shell_in_container.ts";

/**
 * The bundled scenarios by name, in the order in which they are played when none is asked for.
 *
 * They are invented: rules, priorities, tags and fields are Falco's, hosts and people are nobody's
 * (`example.com`, documentation addresses). Each starts an hour after the one before and ends within
 * that hour, so all six in a row are one stretch of time.
 *
 * They are frozen through and through; `structuredClone` makes a copy that can be changed.
 *
 * @example How many alerts each of them raises
 * ```ts
 * import { scenarios } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * for (const { alerts } of Object.values(scenarios)) {
 *   const raised = alerts.reduce((sum, { repeat = 1 }) => sum + repeat, 0);
 *   assert(raised >= 10 && raised <= 60);
 * }
 * ```
 */
export const scenarios: {
  /** A shell in a web shop's pod, and what its owner does in it. */
  readonly shellInContainer: Scenario;
  /** A miner that gets into an open data store and spreads to a second node. */
  readonly cryptoMiner: Scenario;
  /** A build job that breaks out of its privileged container; has the one emergency. */
  readonly containerEscape: Scenario;
  /** Keys collected on hosts, without any container; full of hostile command lines. */
  readonly credentialTheft: Scenario;
  /** A cluster taken over, from the audit log; source `k8s_audit`, arrays among its values. */
  readonly k8sAudit: Scenario;
  /** A storm of duplicates with two serious alerts and a drop notice in it. */
  readonly noisyStorm: Scenario;
} = Object.freeze({
  shellInContainer,
  cryptoMiner,
  containerEscape,
  credentialTheft,
  k8sAudit,
  noisyStorm,
});
