/** A fault that waits for its moment. @module */
import type { Fault } from "./fault.ts";
import { isOnWire } from "./fault_rules.ts";

/** Kinds that act on an alert just before it is sent. */
const onAlerts: readonly Fault["type"][] = ["lose", "delay", "alter", "truncate"];
/** Kinds that need neither a call nor a connection. */
const onServer: readonly Fault["type"][] = [
  "refuse",
  "drop",
  "socket",
  "restart",
  "certificate",
];

/** Counts what its trigger counts, and says when it is time. */
export class ArmedFault<Call> {
  /** The fault as it was given. */
  readonly fault: Fault;
  /** Whether it acts on an alert, just before that is sent. */
  readonly isOnAlert: boolean;
  /** Whether nothing has to happen first, but time to pass. */
  readonly isAtOnce: boolean;
  /** Whether its `afterMs` have passed. */
  due = false;
  #struck = 0;
  #calls = 0;
  #connections = 0;
  #alerts = 0;
  /** The call that `onCall` chose. */
  #chosen: Call | undefined;

  /** @param fault The fault. */
  constructor(fault: Fault) {
    const { type, onCall, onConnection, afterAlerts } = fault;
    this.fault = fault;
    this.isOnAlert = onAlerts.includes(type) && !isOnWire(fault);
    this.isAtOnce = onServer.includes(type) &&
      (onCall ?? onConnection ?? afterAlerts) === undefined;
  }

  /** Whether it has struck as often as it shall. */
  get spent(): boolean {
    return this.#struck >= (this.fault.times ?? 1);
  }

  /** It strikes: all counts begin anew. */
  struck(): void {
    this.#struck++;
    this.#calls = this.#connections = this.#alerts = 0;
    this.#chosen = undefined;
  }

  /**
   * A connection was opened.
   *
   * @returns Whether it is the one.
   */
  onConnection(): boolean {
    const isMeant = this.fault.onConnection !== undefined || this.fault.type === "zero-window" ||
      isOnWire(this.fault) && this.fault.type !== "refuse";
    if (!this.due || !isMeant) return false;
    return ++this.#connections === (this.fault.onConnection ?? 1);
  }

  /**
   * A call came, of a method that counts.
   *
   * @param call The call.
   * @param taken Whether another fault has ended it already: then the one after it has to do.
   * @returns Whether it is time.
   */
  onCall(call: Call, taken: boolean): boolean {
    const { onCall, afterAlerts } = this.fault;
    if (!this.due || !this.#actsOnCalls || this.#chosen !== undefined) return false;
    if (this.#calls + 1 >= (onCall ?? 1) && taken) return false;
    if (++this.#calls < (onCall ?? 1)) return false;
    if (onCall !== undefined) this.#chosen = call;
    return afterAlerts === undefined && !this.isOnAlert;
  }

  /**
   * An alert is about to be sent on a call of a method that counts.
   *
   * @param call The call.
   * @returns Whether it is time for what acts on alerts.
   */
  beforeAlert(call: Call): boolean {
    return this.due && this.isOnAlert && this.#counts(call) &&
      this.isRipe;
  }

  /**
   * An alert was sent on a call of a method that counts.
   *
   * @param call The call.
   * @returns Whether it is time for what acts on calls.
   */
  afterAlert(call: Call): boolean {
    const { afterAlerts } = this.fault;
    if (!this.due || afterAlerts === undefined || !this.#counts(call)) return false;
    this.#alerts++;
    return !this.isOnAlert && this.isRipe;
  }

  /** Whether enough alerts were sent, and it has not struck since. */
  get isRipe(): boolean {
    return this.#alerts >= (this.fault.afterAlerts ?? 0);
  }

  /** A call is over: another one may be chosen. */
  onCallEnd(call: Call): void {
    if (this.#chosen !== call) return;
    this.#chosen = undefined;
    this.#calls = this.#alerts = 0;
  }

  get #actsOnCalls(): boolean {
    const { type, onConnection } = this.fault;
    return !this.isAtOnce && onConnection === undefined &&
      type !== "zero-window";
  }

  /** Whether the alerts of a call count. */
  #counts(call: Call): boolean {
    return this.fault.onCall === undefined || this.#chosen === call;
  }
}
