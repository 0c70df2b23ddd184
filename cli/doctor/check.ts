/** What `doctor` looks at, one thing at a time. @module */
import type { FalcoVersion } from "../../lib/client/falco_version.ts";
import type { Address } from "../../lib/transport/address.ts";
import type { LoadedCredentials, TlsCredentials } from "../../lib/transport/credentials.ts";
import type { Handshake } from "../../lib/transport/handshake.ts";
import type { SessionManager } from "../../lib/transport/session_manager.ts";
import type { ConnectionArguments } from "../connection_options.ts";

/** How a check went: `skipped` says that it could not be made, and is no failure of its own. */
export type CheckState = "ok" | "warn" | "fail" | "skipped";

/** What a check found. */
export interface Finding {
  readonly state: CheckState;
  /** What is the case; a clause without a full stop. */
  readonly text: string;
  /** What to do about it; a sentence without its full stop. */
  readonly remedy?: string;
}

/** A check and what it found. */
export interface CheckResult extends Finding {
  /** Its name; scripts may depend on it. */
  readonly check: string;
}

/** What later checks know from earlier ones. */
export interface Findings {
  readonly connection: ConnectionArguments;
  /** How long one attempt to connect may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The present, in milliseconds since 1970. */
  readonly now: number;
  address?: Address;
  credentials?: LoadedCredentials;
  handshake?: Handshake;
  session?: SessionManager;
  version?: FalcoVersion;
  /** The service that alerts come from, without the method. */
  service?: string;
}

/** One thing to look at. */
export interface Check {
  readonly name: string;
  /** The only kind of address it is for; both by default. */
  readonly only?: Address["kind"];
  /** Checks without whose success this one makes no sense. */
  readonly needs?: readonly string[];
  /**
   * Looks.
   *
   * @param findings What is known; it adds to it.
   * @returns What it found. It throws only if the signal fires.
   */
  run(findings: Findings): Promise<Finding>;
}

/**
 * The certificates that were read, for a connection.
 *
 * @param findings What is known.
 * @returns What the files held then, under the options' names; undefined without certificates.
 */
export function asGiven(
  { connection, credentials }: Pick<Findings, "connection" | "credentials">,
): TlsCredentials | undefined {
  if (credentials === undefined) return undefined;
  const { ca, cert, key } = credentials;
  return { ...connection.tls, ca, cert, key };
}

/** A finding that all is well. */
export function ok(text: string): Finding {
  return { state: "ok", text };
}

/** A finding that a user has to act on. */
export function fail(text: string, remedy: string): Finding {
  return { state: "fail", text, remedy };
}

/** A finding that will have to be acted on, or that may be meant so. */
export function warn(text: string, remedy: string): Finding {
  return { state: "warn", text, remedy };
}

/** A finding that there was nothing to find. */
export function skipped(text: string, remedy?: string): Finding {
  return { state: "skipped", text, ...(remedy === undefined ? {} : { remedy }) };
}

/** What is to be done where there is no Falco with gRPC. */
export const noGrpc = 'Falco 0.44 and later have no gRPC: look at "falco --version". Before, ' +
  "set grpc.enabled and grpc_output.enabled to true in falco.yaml and restart Falco";
