/** What the contract suite runs against. @module */
import type { Alert } from "../../lib/alert/alert.ts";
import type { TlsCredentials } from "../../lib/transport/credentials.ts";

/**
 * A Falco, or what takes itself for one. A `FakeFalco` is one as it is; of a real Falco one knows at
 * least the address. What is left out leaves the behaviours out that need it.
 *
 * @example A real Falco, of which nothing is known but where it is
 * ```ts
 * import type { ContractTarget } from "@falco-streams/core/harness";
 *
 * const falco: ContractTarget = { address: "unix:///run/falco/falco.sock" };
 * console.assert(falco.push === undefined);
 * ```
 */
export interface ContractTarget {
  /** Where it listens: what `connect()` takes. */
  readonly address: string;
  /** Certificates, for an address over TCP. */
  readonly credentials?: TlsCredentials | undefined;
  /** Its version, if it is known; else it is asked. From 0.44 on, nobody may listen. */
  readonly falcoVersion?: string | undefined;
  /**
   * Makes it raise alerts, in order, on top of what is queued. From then on the queue must hold
   * nothing else: no other alerts, and no other clients.
   *
   * @param alerts The alerts.
   */
  push?(...alerts: readonly Alert[]): void | Promise<void>;
  /**
   * SIGHUP with `watch_config_files: true`.
   *
   * @returns Once it listens again.
   */
  reload?(): Promise<void>;
  /**
   * SIGTERM. The last thing that is done to it.
   *
   * @returns Once it has ended.
   */
  stop?(): Promise<void>;
}
