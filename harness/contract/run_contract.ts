/** The contract suite: whether something behaves as Falco does. @module */
import { fromBinary } from "@bufbuild/protobuf";
import { responseSchema as versionSchema } from "../../gen/version_pb.ts";
import { systemClock } from "../../lib/clock.ts";
import type { Clock } from "../../lib/clock.ts";
import { FalcoError } from "../../lib/errors.ts";
import { parseAddress } from "../../lib/transport/address.ts";
import type { Address } from "../../lib/transport/address.ts";
import type { ContractBehaviour, ContractNeed, RunnableBehaviour } from "./behaviour.ts";
import { allBehaviours } from "./behaviours.ts";
import { ContractClient } from "./contract_client.ts";
import { ContractScene, VERSION } from "./contract_scene.ts";
import type { ContractSetting } from "./contract_scene.ts";
import type { ContractTarget } from "./contract_target.ts";
import { Difference } from "./difference.ts";

/**
 * Options of {@linkcode runContract}.
 *
 * @example Nothing that takes alerts away from others
 * ```ts
 * import type { RunContractOptions } from "@falco-streams/core/harness";
 *
 * const careful: RunContractOptions = { readOnly: true };
 * console.assert(careful.quietMs === undefined);
 * ```
 */
export interface RunContractOptions {
  /**
   * Whether to leave out what takes alerts out of the queue, makes alerts, or stops the target. Calls
   * are still opened and connections broken, which other clients do not notice. Default false.
   */
  readOnly?: boolean;
  /** The target's `threadiness`, if it is known: 10 times as many subs are opened at once. */
  threadiness?: number;
  /** How long to look for what must not happen, in milliseconds. Default 250: more for a slow line. */
  quietMs?: number;
  /** How long to wait for what must happen, in milliseconds. Default 5,000. */
  timeoutMs?: number;
  /** Which behaviours; those that are left out are not in the report. Default all. */
  filter?: (behaviour: ContractBehaviour) => boolean;
  /** Called with each result as it is there. It must not throw. */
  onResult?: (result: ContractResult) => void;
  /** Ends the run between two behaviours; it rejects with `signal.reason`. */
  signal?: AbortSignal;
  /** Time for the limits. Default the machine's. */
  clock?: Clock;
}

/**
 * What came of one behaviour.
 *
 * @example
 * ```ts
 * import type { ContractResult } from "@falco-streams/core/harness";
 *
 * const line = ({ outcome, behaviour, detail }: ContractResult) =>
 *   `${outcome}: ${behaviour.name}${detail === "" ? "" : ` (${detail})`}`;
 * console.assert(line.length === 1);
 * ```
 */
export interface ContractResult {
  /** The behaviour. */
  readonly behaviour: ContractBehaviour;
  /** Whether the target does as Falco does. */
  readonly outcome: "agrees" | "differs" | "not run";
  /** What was seen instead, or why it was not run; empty if it agrees. */
  readonly detail: string;
}

/**
 * What came of the suite.
 *
 * @example
 * ```ts
 * import { FakeFalco, runContract } from "@falco-streams/core/harness";
 * import type { ContractReport } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const fake = await FakeFalco.start({ falcoVersion: "0.44.0" });
 * const report: ContractReport = await runContract(fake);
 * assert.equal(report.agrees, 1); // nobody listens
 * await fake.stop();
 * ```
 */
export interface ContractReport {
  /** The address of the target. */
  readonly address: string;
  /** The version whose behaviour was expected. */
  readonly falcoVersion: string;
  /** One for each behaviour, in order. */
  readonly results: readonly ContractResult[];
  /** How many agree. */
  readonly agrees: number;
  /** How many differ. */
  readonly differs: number;
  /** How many were not run. */
  readonly notRun: number;
}

/**
 * All behaviours that {@linkcode runContract} knows of, in the order in which it looks at them.
 *
 * @example
 * ```ts
 * import { contractBehaviours } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const names = contractBehaviours.map(({ name }) => name);
 * assert.equal(new Set(names).size, names.length);
 * ```
 */
export const contractBehaviours: readonly ContractBehaviour[] = allBehaviours;

/**
 * Looks whether a target behaves on the wire as a Falco of its version does, behaviour by behaviour:
 * the fake, or any address. What the target does not offer is not run, and said so.
 *
 * It takes alerts out of the target's queue, which are lost for others, unless `readOnly` is set. A
 * target with `stop` is stopped at the end.
 *
 * @param target What to look at.
 * @param options What to leave out, and limits.
 * @returns One result for each behaviour.
 * @throws {TypeError} If the address is none.
 * @throws {RangeError} If the version is none, or a limit no number above 0.
 * @throws {FalcoConnectError} If it cannot be reached, and is not known to be 0.44 or later.
 * @throws {FalcoError} If it answers `version` with something else than Falco, and `falcoVersion` is
 * not given.
 *
 * @example The fake agrees
 * ```ts
 * import { FakeFalco, runContract } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const fake = await FakeFalco.start({ threadiness: 1 });
 * const report = await runContract(fake, { threadiness: 1, quietMs: 20 });
 * assert.deepEqual(report.results.filter(({ outcome }) => outcome === "differs"), []);
 * await fake.stop();
 * ```
 */
export async function runContract(
  target: ContractTarget,
  options: RunContractOptions = {},
): Promise<ContractReport> {
  const { clock = systemClock, filter = () => true, signal } = options;
  const address = parseAddress(target.address);
  const quietMs = above0("quietMs", options.quietMs ?? 250);
  const timeoutMs = above0("timeoutMs", options.timeoutMs ?? 5_000);
  if (options.threadiness !== undefined) above0("threadiness", options.threadiness);
  const version = target.falcoVersion !== undefined
    ? readVersion(target.falcoVersion)
    : await askVersion(address, target, { clock, timeoutMs });
  const setting: ContractSetting = {
    target,
    address,
    clock,
    timeoutMs,
    quietMs,
    threadiness: options.threadiness ?? 1,
    version,
    signal,
  };
  // A target that cannot be reached differs in nothing: there is nothing to look at.
  if (version[0] === 0 && version[1] < 44) await connectOnce(setting);
  const results: ContractResult[] = [];
  for (const behaviour of allBehaviours.filter(filter)) {
    signal?.throwIfAborted();
    const why = whyNot(behaviour, setting, options);
    const result = why === undefined
      ? await look(behaviour, setting, options)
      : { behaviour, outcome: "not run" as const, detail: why };
    results.push(result);
    options.onResult?.(result);
  }
  signal?.throwIfAborted();
  const count = (outcome: ContractResult["outcome"]) =>
    results.filter((result) => result.outcome === outcome).length;
  return {
    address: address.text,
    falcoVersion: version.join("."),
    results,
    agrees: count("agrees"),
    differs: count("differs"),
    notRun: count("not run"),
  };
}

/** Why a behaviour cannot be looked at; undefined if it can. */
function whyNot(
  { minors: [from, to], needs }: ContractBehaviour,
  { target, address, version }: ContractSetting,
  { readOnly = false, threadiness }: RunContractOptions,
): string | undefined {
  const minor = version[0] > 0 ? Infinity : version[1];
  if (minor < from || minor > to) {
    const range = to === Infinity ? `from 0.${from} on` : `0.${from} to 0.${to}`;
    return `it is about ${range}, this is ${version.join(".")}`;
  }
  const reasons: Record<ContractNeed, string | false> = {
    alerts: readOnly && "it takes alerts out of the queue",
    push: readOnly ? "it makes alerts" : target.push === undefined && "alerts cannot be made here",
    reload: readOnly ? "it reloads the target" : target.reload === undefined &&
      "the target cannot be reloaded from here",
    stop: readOnly
      ? "it stops the target"
      : target.stop === undefined && "the target cannot be stopped from here",
    threadiness: threadiness === undefined && "the threadiness of the target is not known",
    tls: address.kind !== "tls" && "the target is a unix socket",
    unix: address.kind !== "unix" && "the target is no unix socket",
  };
  for (const need of needs) {
    if (reasons[need] !== false) return reasons[need];
  }
  return undefined;
}

async function look(
  behaviour: RunnableBehaviour,
  setting: ContractSetting,
  { readOnly = false }: RunContractOptions,
): Promise<ContractResult> {
  const scene = new ContractScene(setting);
  try {
    // What an earlier one has left behind must not be seen by this one.
    if (!readOnly && behaviour.needs.includes("push")) await scene.drain();
    await behaviour.run(scene);
    return { behaviour, outcome: "agrees", detail: "" };
  } catch (error) {
    if (setting.signal?.aborted) throw error;
    const detail = error instanceof Difference
      ? error.message
      : `it failed: ${error instanceof Error ? error.message : String(error)}`;
    return { behaviour, outcome: "differs", detail };
  } finally {
    await scene.close();
  }
}

async function connectOnce(setting: ContractSetting): Promise<void> {
  const scene = new ContractScene(setting);
  try {
    await scene.dial().session();
  } finally {
    await scene.close();
  }
}

/** Asks for the version. Before 0.20 there was nobody to ask. */
async function askVersion(
  address: Address,
  target: ContractTarget,
  limits: { clock: Clock; timeoutMs: number },
): Promise<readonly [number, number, number]> {
  const client = new ContractClient(address, { tls: target.credentials, ...limits });
  try {
    const call = await client.ask(VERSION);
    const status = await call.end();
    if (status !== 0) {
      throw new FalcoError(
        `Cannot run the contract suite at ${address.text}: version was answered with status ` +
          `${
            status ?? "none"
          }. Say which Falco it is with falcoVersion; before 0.20 there was no ` +
          "such service",
      );
    }
    const [message] = await call.messages(1);
    const { major, minor, patch } = fromBinary(versionSchema, message!);
    return [major, minor, patch];
  } finally {
    await client.close();
  }
}

function readVersion(text: string): readonly [number, number, number] {
  const match = /^(\d+)\.(\d+)\.(\d+)/.exec(text);
  const [major, minor, patch] = (match ?? []).slice(1).map(Number);
  if (major === undefined || minor === undefined || patch === undefined) {
    throw new RangeError(
      `Cannot run the contract suite as "falcoVersion" must be three numbers: it is ${
        JSON.stringify(text)
      }`,
    );
  }
  if (major === 0 && minor < 18) {
    throw new RangeError(
      `Cannot run the contract suite against Falco ${text}: 0.18.0 was the first with gRPC`,
    );
  }
  return [major, minor, patch];
}

function above0(name: string, value: number): number {
  if (value > 0 && Number.isFinite(value)) return value;
  throw new RangeError(
    `Cannot run the contract suite as "${name}" must be a number above 0: it is ${value}`,
  );
}
