/** Where a fake Falco's faults come in. @module */
import type { ServerHttp2Session } from "node:http2";
import type { Clock } from "../../lib/clock.ts";
import type { FalcoBackend } from "../../lib/server/falco_services.ts";
import type { FalcoServer } from "../../lib/server/falco_server.ts";
import type { Fault, FaultRecord } from "./fault.ts";
import { FaultPlan } from "./fault_plan.ts";
import { checkFault, isOnWire } from "./fault_rules.ts";
import { FaultyCall } from "./faulty_call.ts";
import { FaultyWire } from "./faulty_wire.ts";
import { ServerFaults } from "./server_faults.ts";

/** The fake that they strike. */
export interface FaultyFake {
  /** Where clients connect. */
  address(): string;
  /** The server that runs, if one does. */
  server(): FalcoServer | undefined;
  /**
   * Kills it and starts it again.
   *
   * @param downMs How long it is down.
   * @returns How many alerts are lost.
   */
  restart(downMs: number): number;
}

/** Hands each fault to what can do it: the calls, the server as a whole, or the wire in front. */
export class FaultDesk {
  readonly #fake: FaultyFake;
  readonly #clock: Clock;
  readonly #ofServer: ServerFaults;
  readonly #plan: FaultPlan<FaultyCall>;
  #wire: FaultyWire | undefined;

  /**
   * @param fake The fake.
   * @param clock Time for the faults.
   */
  constructor(fake: FaultyFake, clock: Clock) {
    this.#fake = fake;
    this.#clock = clock;
    this.#ofServer = new ServerFaults({
      clock,
      get path() {
        return pathOf(fake.address());
      },
      cut: () => fake.server()?.cut(),
      restart: (downMs) => fake.restart(downMs),
    });
    this.#plan = new FaultPlan(this.#ofServer, clock);
  }

  /** What a server calls so that its connections and calls can go wrong. */
  get hooks(): Required<Pick<FalcoBackend, "onSession" | "makeCall">> {
    const cut = (session: ServerHttp2Session | undefined) => this.#fake.server()?.cut(session);
    const context = { plan: this.#plan, clock: this.#clock, cut };
    return {
      onSession: (session) => {
        for (const { type } of this.#plan.onConnection()) {
          if (type === "zero-window") session.settings({ initialWindowSize: 0 });
          else if (type === "drop") cut(session);
        }
      },
      makeCall: (stream, headers, handler) => new FaultyCall(stream, headers, handler, context),
    };
  }

  /** What struck so far, oldest first. */
  get records(): readonly FaultRecord[] {
    const all = [...this.#plan.records, ...this.#wire?.faults ?? []];
    return all.sort((a, b) => a.atMs - b.atMs);
  }

  /** Where the wire listens; undefined without one. */
  get wireAddress(): string | undefined {
    return this.#wire?.address;
  }

  /**
   * Puts a wire in front, if need be, and arms the first faults.
   *
   * @param faults The faults, certificates too.
   * @param wire The server behind it, and where it shall listen; undefined for none.
   */
  async start(
    faults: readonly Fault[],
    wire: { target: string; listen: string } | undefined,
  ): Promise<void> {
    const clock = this.#clock;
    if (wire !== undefined) {
      this.#wire = await FaultyWire.start(wire.target, { listen: wire.listen, clock });
    }
    try {
      for (const fault of faults) this.#arm(fault);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Arms a fault.
   *
   * @param fault The fault.
   * @returns A function that takes it back.
   * @throws {TypeError} If it is none, or cannot strike this fake.
   */
  inject(fault: Fault): () => void {
    checkFault(fault);
    if (fault.type === "certificate") {
      refuse(fault, "certificates are made at the start. Pass it to FakeFalco.start()");
    }
    return this.#arm(fault);
  }

  #arm(fault: Fault): () => void {
    if (isOnWire(fault)) {
      return this.#wire?.inject(fault) ??
        refuse(fault, "it needs a wire. Start with { wire: true }");
    }
    const isUnix = pathOf(this.#fake.address()) !== undefined;
    if (fault.type === "socket" && !isUnix) refuse(fault, "there is no socket file over TCP");
    if (fault.type === "certificate" && isUnix) {
      refuse(fault, "there are none on a unix socket. Start with { tls: true }");
    }
    return this.#plan.arm(fault);
  }

  /**
   * The server stops in order, or is about to start again: nobody listens, and no socket file is there.
   *
   * @returns A promise that resolves when that is so.
   */
  async leave(): Promise<void> {
    await this.#wire?.leave();
    await this.#ofServer.end();
  }

  /**
   * The server is being killed: nobody listens. A socket that a fault has hidden is no server's any more.
   *
   * @returns A promise that resolves when that is so.
   */
  async refuse(): Promise<void> {
    await Promise.all([this.#wire?.refuse(), this.#ofServer.end()]);
  }

  /** The server listens again. */
  async open(): Promise<void> {
    await this.#wire?.open();
  }

  /** No more faults. */
  clear(): void {
    this.#plan.clear();
  }

  /**
   * Closes the wire, and removes what faults have left behind.
   *
   * @returns A promise that resolves when nothing is open any more.
   */
  async close(): Promise<void> {
    this.clear();
    await this.#wire?.close();
    await this.#ofServer.end();
  }
}

function refuse(fault: Fault, problem: string): never {
  throw new TypeError(`Cannot inject the fault ${JSON.stringify(fault.type)}: ${problem}`);
}

function pathOf(address: string): string | undefined {
  return address.startsWith("unix://") ? address.slice("unix://".length) : undefined;
}
