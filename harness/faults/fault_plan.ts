/** All faults of a fake, and what they did. @module */
import type { CancelTimer, Clock } from "../../lib/clock.ts";
import { ArmedFault } from "./armed_fault.ts";
import type { Fault, FaultMethod, FaultRecord } from "./fault.ts";
import { checkFault } from "./fault_rules.ts";

/** How many records are kept: enough for a test, bounded for a server that runs for weeks. */
const MAX_RECORDS = 1000;

/** What a plan must know of a call. */
export interface PlannedCall {
  /** The method; undefined if it is none that faults know. */
  readonly method: FaultMethod | undefined;
  /** Whether a fault has ended it already, so that no other can strike it. */
  readonly taken: boolean;
  /**
   * Lets a fault strike it.
   *
   * @param fault The fault, of a kind that acts on calls.
   */
  strike(fault: Fault): void;
}

/** What strikes something other than a single call. */
export interface FaultHost {
  /**
   * Lets a fault strike the server as a whole.
   *
   * @param fault A `refuse`, `drop`, `socket` or `restart`.
   * @returns How many alerts are lost with it, if any.
   */
  strike(fault: Fault): number | void;
}

/** Arms faults, asks each of them at each occasion, and keeps the log. */
export class FaultPlan<Call extends PlannedCall = PlannedCall> {
  readonly #host: FaultHost;
  readonly #clock: Clock;
  readonly #armed = new Set<ArmedFault<Call>>();
  readonly #timers = new Map<ArmedFault<Call>, CancelTimer>();
  readonly #calls = new Set<Call>();
  #records: FaultRecord[] = [];

  /**
   * @param host What faults of the server act on.
   * @param clock Time for `afterMs`, and for the log.
   */
  constructor(host: FaultHost, clock: Clock) {
    this.#host = host;
    this.#clock = clock;
  }

  /** What struck so far, oldest first; of more than 1,000 the oldest are forgotten. */
  get records(): readonly FaultRecord[] {
    return [...this.#records];
  }

  /** Whether there is none left, so that nobody need ask. */
  get idle(): boolean {
    return this.#armed.size === 0;
  }

  /**
   * Arms a fault.
   *
   * @param fault The fault.
   * @returns A function that takes it back, if it has not struck for the last time.
   * @throws {TypeError} If it is none.
   */
  arm(fault: Fault): () => void {
    checkFault(fault);
    const armed = new ArmedFault<Call>({ ...fault });
    this.#armed.add(armed);
    this.#schedule(armed);
    return () => this.#disarm(armed);
  }

  /** Disarms all. */
  clear(): void {
    for (const armed of this.#armed) this.#disarm(armed);
  }

  #disarm(armed: ArmedFault<Call>): void {
    this.#armed.delete(armed);
    this.#timers.get(armed)?.();
    this.#timers.delete(armed);
  }

  /** Waits until it may strike; then what is there already may be its victim. */
  #schedule(armed: ArmedFault<Call>): void {
    const { afterMs = 0 } = armed.fault;
    if (afterMs > 0) {
      armed.due = false;
      this.#timers.set(armed, this.#clock.setTimer(() => this.#onDue(armed), afterMs));
    } else {
      this.#onDue(armed);
    }
  }

  #onDue(armed: ArmedFault<Call>): void {
    armed.due = true;
    const { onCall, afterAlerts } = armed.fault;
    if (armed.isAtOnce) return this.#strike(armed);
    if ((onCall ?? afterAlerts) !== undefined) return;
    for (const call of this.#calls) {
      if (!matches(armed.fault, call) || !armed.onCall(call, call.taken)) continue;
      return this.#strike(armed, call);
    }
  }

  /**
   * A connection was opened.
   *
   * @returns The faults that strike it.
   */
  onConnection(): Fault[] {
    const struck: Fault[] = [];
    for (const armed of this.#armed) {
      if (!armed.onConnection()) continue;
      struck.push(armed.fault);
      this.#record(armed, undefined, 0);
    }
    return struck;
  }

  /**
   * A call came.
   *
   * @param call The call. Faults may strike it at once.
   */
  onCall(call: Call): void {
    this.#calls.add(call);
    for (const armed of this.#armed) {
      if (!matches(armed.fault, call)) continue;
      if (armed.onCall(call, call.taken)) this.#strike(armed, call);
    }
  }

  /**
   * A call is over.
   *
   * @param call The call.
   */
  onCallEnd(call: Call): void {
    this.#calls.delete(call);
    for (const armed of this.#armed) armed.onCallEnd(call);
  }

  /**
   * An alert is about to be sent.
   *
   * @param call On which call.
   * @returns The faults that strike the alert.
   */
  beforeAlert(call: Call): Fault[] {
    const struck: Fault[] = [];
    for (const armed of this.#armed) {
      if (!matches(armed.fault, call) || !armed.beforeAlert(call)) continue;
      struck.push(armed.fault);
      const { type } = armed.fault;
      this.#record(armed, call, type === "lose" || type === "truncate" ? 1 : 0);
    }
    return struck;
  }

  /**
   * An alert was sent, or will be as soon as there is room.
   *
   * @param call On which call.
   * @returns What is to be done once it has left; undefined if nothing is.
   */
  afterAlert(call: Call): (() => void) | undefined {
    const due = [...this.#armed].filter((armed) =>
      matches(armed.fault, call) && armed.afterAlert(call)
    );
    if (due.length === 0) return undefined;
    return () => {
      for (const armed of due) {
        // Another call's alert, or another fault, may have come first: then it waits for the next.
        if (this.#armed.has(armed) && armed.isRipe && !call.taken) this.#strike(armed, call);
      }
    };
  }

  #strike(armed: ArmedFault<Call>, call?: Call): void {
    const { fault } = armed;
    const isOfServer = ["refuse", "socket", "restart"].includes(fault.type);
    const victim = call === undefined || isOfServer ? undefined : call;
    // Recorded first: a fault may be what somebody waits for who then looks at the log.
    const record = this.#record(armed, call, 0);
    if (victim !== undefined) return victim.strike(fault);
    record.lostAlerts = this.#host.strike(fault) ?? 0;
  }

  #record(armed: ArmedFault<Call>, call: Call | undefined, lostAlerts: number) {
    const { fault } = armed;
    const method = call?.method;
    const record = { fault, atMs: this.#clock.now(), real: isReal(fault), method, lostAlerts };
    this.#records.push(record);
    if (this.#records.length > MAX_RECORDS) this.#records = this.#records.slice(-MAX_RECORDS);
    armed.struck();
    if (armed.spent) this.#disarm(armed);
    else if ((fault.afterMs ?? 0) > 0) this.#schedule(armed);
    return record;
  }
}

/** Whether a call is of the method that a fault waits for. */
function matches({ method }: Fault, call: PlannedCall): boolean {
  if (method !== undefined) return call.method === method;
  return call.method === "sub" || call.method === "get";
}

/** The statuses that Falco's server, or a proxy before it, was seen to give. */
const realStatuses: readonly number[] = [0, 2, 8, 12, 13, 14];

/**
 * Whether a Falco, its machine or the network do such a thing.
 *
 * @param fault The fault.
 */
export function isReal(fault: Fault): boolean {
  switch (fault.type) {
    case "trailers":
    case "zero-window":
      return false;
    case "reset":
      return fault.code === 8;
    case "goaway":
      return fault.code === 0 || fault.code === 11;
    case "status":
      return realStatuses.includes(fault.status);
    case "alter":
      return fault.to === "oversized";
    default:
      return true;
  }
}
