/** What a check of the contract suite works with. @module */
import type { Alert } from "../../lib/alert/alert.ts";
import { wait } from "../../lib/clock.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Address } from "../../lib/transport/address.ts";
import type { TlsCredentials } from "../../lib/transport/credentials.ts";
import { buildAlert } from "../build_alert.ts";
import { ContractClient } from "./contract_client.ts";
import type { ContractTarget } from "./contract_target.ts";
import { insist, same } from "./difference.ts";

/** The methods, as they stand on the wire. */
export const SUB = "falco.outputs.service/sub";
/** @see SUB */
export const GET = "falco.outputs.service/get";
/** @see SUB */
export const SUBSCRIBE = "falco.output.service/subscribe";
/** @see SUB */
export const VERSION = "falco.version.service/version";

/** What {@linkcode ContractScene} is made of. */
export interface ContractSetting {
  readonly target: ContractTarget;
  readonly address: Address;
  readonly clock: Clock;
  /** How long something may take that must happen. */
  readonly timeoutMs: number;
  /** How long to look for something that must not happen. */
  readonly quietMs: number;
  readonly threadiness: number;
  /** The version, as three numbers. */
  readonly version: readonly [major: number, minor: number, patch: number];
  readonly signal: AbortSignal | undefined;
}

/** A target for the time of one check, and clients that are closed afterwards. */
export class ContractScene {
  readonly #setting: ContractSetting;
  readonly #clients: ContractClient[] = [];

  /** @param setting The target and the limits. */
  constructor(setting: ContractSetting) {
    this.#setting = setting;
  }

  /** The target. */
  get target(): ContractTarget {
    return this.#setting.target;
  }

  /** Where the target is. */
  get address(): Address {
    return this.#setting.address;
  }

  /** The target's `threadiness`. */
  get threadiness(): number {
    return this.#setting.threadiness;
  }

  /** The target's version, as three numbers. */
  get version(): readonly [major: number, minor: number, patch: number] {
    return this.#setting.version;
  }

  /** How long something may take that must happen, in milliseconds. */
  get timeoutMs(): number {
    return this.#setting.timeoutMs;
  }

  /**
   * Makes a client with a connection of its own.
   *
   * @param tls Certificates, if others than the target's.
   */
  dial(tls: TlsCredentials | undefined = this.target.credentials): ContractClient {
    const { clock, timeoutMs } = this.#setting;
    const client = new ContractClient(this.address, { tls, clock, timeoutMs });
    this.#clients.push(client);
    return client;
  }

  /**
   * Puts alerts into the queue that are told apart by their rules.
   *
   * @param rules The rules.
   */
  async push(...rules: readonly string[]): Promise<void> {
    await this.pushAlerts(...rules.map((rule) => buildAlert({ rule })));
  }

  /**
   * Puts alerts into the queue.
   *
   * @param alerts The alerts.
   */
  async pushAlerts(...alerts: readonly Alert[]): Promise<void> {
    await this.target.push!(...alerts);
  }

  /**
   * Waits for what must not happen: everything that was sent has been dealt with afterwards, as far
   * as one can know from outside.
   *
   * @param client Does a round trip before, if there is one to be had.
   */
  async quiet(client?: ContractClient): Promise<void> {
    const { clock, quietMs, signal } = this.#setting;
    // Every Falco answers this, whatever else it is busy with.
    if (client !== undefined) await (await client.ask("falco.contract/roundTrip")).end();
    await wait(quietMs, { clock, signal });
  }

  /**
   * Takes out what is queued.
   *
   * @returns The rules, in order.
   */
  async drain(): Promise<string[]> {
    const method = this.version[1] < 24 ? SUBSCRIBE : GET;
    const call = await this.dial().ask(method);
    same(`the status of ${method}`, await call.end(), 0);
    return call.here();
  }

  /**
   * Waits for something outside of calls.
   *
   * @param what What it is.
   * @param promise Settles once it has happened.
   * @throws {Difference} If it does not in time.
   */
  async within<T>(what: string, promise: Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.#setting;
    let cancelTimer: () => void = () => {};
    const tooLate = new Promise<false>((resolve) => {
      cancelTimer = clock.setTimer(() => resolve(false), timeoutMs);
    });
    try {
      const happened = await Promise.race([promise.then((value) => ({ value })), tooLate]);
      insist(happened !== false, `${what} did not come in ${timeoutMs} ms`);
      return happened.value;
    } finally {
      cancelTimer();
    }
  }

  /**
   * Waits until something is so that no call tells of.
   *
   * @param what What is so then.
   * @param condition Looks whether it is.
   * @throws {Difference} If it is not in time.
   */
  async until(what: string, condition: () => Promise<boolean>): Promise<void> {
    const { clock, quietMs, timeoutMs, signal } = this.#setting;
    const lastMoment = clock.now() + timeoutMs;
    while (!await condition()) {
      insist(clock.now() < lastMoment, `it is not so within ${timeoutMs} ms that ${what}`);
      await wait(quietMs, { clock, signal });
    }
  }

  /** Closes all clients. */
  async close(): Promise<void> {
    for (const client of this.#clients.splice(0)) await client.close();
  }
}

/**
 * Rules that are told apart.
 *
 * @param from The first number.
 * @param to The last one.
 * @returns `a1`, `a2` and so on.
 */
export function rules(from: number, to: number = from): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => `a${from + index}`);
}
