/** A relay of raw bytes in front of a server, whose wire can be made bad. @module */
import { connect as connectSocket, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { systemClock } from "../../lib/clock.ts";
import type { CancelTimer, Clock } from "../../lib/clock.ts";
import { FalcoError } from "../../lib/errors.ts";
import { SocketFile } from "../../lib/server/socket_file.ts";
import { parseAddress } from "../../lib/transport/address.ts";
import type { Address } from "../../lib/transport/address.ts";
import { makeTempFolder } from "../temp_folder.ts";
import type { TempFolder } from "../temp_folder.ts";
import type { Fault, FaultRecord } from "./fault.ts";
import { FaultPlan } from "./fault_plan.ts";
import { isOnWire } from "./fault_rules.ts";
import { relayBytes } from "./relay_bytes.ts";

/**
 * Options of {@linkcode FaultyWire.start}.
 *
 * @example
 * ```ts
 * import type { FaultyWireOptions } from "@falco-streams/core/harness";
 *
 * const options: FaultyWireOptions = { faults: [{ type: "split", bytes: 1 }] };
 * console.assert(options.faults?.length === 1);
 * ```
 */
export interface FaultyWireOptions {
  /** Where to listen. Default a socket in a fresh folder, or any port of `localhost`, as the server behind it does. */
  listen?: string;
  /** What goes wrong from the start on. */
  faults?: readonly Fault[];
  /** Time for the faults. Default the machine's. */
  clock?: Clock;
}

/**
 * A wire to any server, a real Falco too, on which bytes are split, held back, cut off and refused.
 *
 * It knows nothing of HTTP/2 and TLS: what goes over it is the server's and the client's own. Faults
 * are `refuse`, `drop` without calls, `split`, and `stall` and `truncate` with `afterBytes`; they act
 * on what the server sends.
 *
 * @example A server that sends a byte at a time
 * ```ts
 * import { connect } from "@falco-streams/core";
 * import { buildAlert, FakeFalco, FaultyWire } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const fake = await FakeFalco.start();
 * fake.push(buildAlert());
 * const wire = await FaultyWire.start(fake.address, { faults: [{ type: "split", bytes: 1 }] });
 * const falco = connect(wire.address);
 * assert.equal((await Array.fromAsync(falco.outputs.get())).length, 1);
 * await falco.close();
 * await wire.close();
 * await fake.stop();
 * ```
 */
export class FaultyWire implements AsyncDisposable {
  readonly #target: Address;
  readonly #clock: Clock;
  readonly #plan: FaultPlan;
  readonly #sockets = new Set<Socket>();
  /** The connections of clients. */
  readonly #near = new Set<Socket>();
  #listen: Address;
  #folder: TempFolder | undefined;
  #server: Server | undefined;
  /** On a unix socket. */
  #file: SocketFile | undefined;
  #closed = false;
  #cancelTimer: CancelTimer = () => {};
  /** Listening starts and ends one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(target: Address, listen: Address, clock: Clock) {
    this.#target = target;
    this.#listen = listen;
    this.#clock = clock;
    this.#plan = new FaultPlan({ strike: (fault) => this.#strike(fault) }, clock);
  }

  /**
   * Puts a wire in front of a server.
   *
   * @param target The server's address, as `connect()` takes it.
   * @param options Where to listen, and what goes wrong.
   * @returns The wire, once clients can connect.
   * @throws {TypeError} If an address or a fault is none, or a fault is none for a wire.
   * @throws {FalcoError} If it cannot listen there; the system's error is the `cause`.
   */
  static async start(target: string, options: FaultyWireOptions = {}): Promise<FaultyWire> {
    const { listen, faults = [], clock = systemClock } = options;
    const behind = parseAddress(target);
    const folder = listen === undefined && behind.kind === "unix"
      ? await makeTempFolder()
      : undefined;
    const shown = listen ??
      (folder === undefined ? "https://localhost:0" : `unix://${folder.path}/falco.sock`);
    const wire = new FaultyWire(behind, parseAddress(shown, { listening: true }), clock);
    wire.#folder = folder;
    try {
      await wire.open();
      for (const fault of faults) wire.inject(fault);
    } catch (error) {
      await wire.close();
      if (error instanceof TypeError) throw error;
      const reason = (error as Error).message;
      throw new FalcoError(`Cannot listen at ${shown}: ${reason}`, { cause: error });
    }
    return wire;
  }

  /** Where clients connect: `unix:///PATH` or `https://HOST:PORT`. */
  get address(): string {
    return this.#listen.text;
  }

  /** How many connections go over it. */
  get connections(): number {
    return this.#near.size;
  }

  /** What went wrong so far, oldest first; of more than 1,000 the oldest are forgotten. */
  get faults(): readonly FaultRecord[] {
    return this.#plan.records;
  }

  /**
   * Arms a fault.
   *
   * @param fault The fault.
   * @returns A function that takes it back, if it has not struck yet.
   * @throws {TypeError} If it is none, or none for a wire.
   */
  inject(fault: Fault): () => void {
    const { type, onCall, afterAlerts, method } = fault;
    const isKnown = isOnWire(fault) || type === "drop";
    if (!isKnown || (onCall ?? afterAlerts ?? method) !== undefined) {
      throw new TypeError(
        `Cannot inject the fault ${JSON.stringify(type)}: a wire knows no calls and no alerts. ` +
          "Inject it into a FakeFalco",
      );
    }
    return this.#plan.arm(fault);
  }

  #strike(fault: Fault): void {
    if (fault.type === "drop") return this.cut();
    if (fault.type !== "refuse") return;
    void this.refuse();
    if (fault.forMs === undefined) return;
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.setTimer(() => void this.open(), fault.forMs);
  }

  /** Breaks all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /**
   * Takes connections again after {@linkcode FaultyWire.refuse}.
   *
   * @returns A promise that resolves when clients can connect.
   */
  open(): Promise<void> {
    return this.#next(async () => {
      if (this.#server !== undefined || this.#closed) return;
      const server = createServer({ noDelay: true }, (near) => this.#onConnection(near));
      const address = this.#listen;
      if (address.kind === "unix") {
        this.#file = await SocketFile.listen(
          address.path,
          true,
          (path) => started(server, () => server.listen(path)),
        );
      } else {
        const host = address.host === "localhost" ? "127.0.0.1" : address.host;
        await started(server, () => server.listen(address.port, host));
        const { port } = server.address() as AddressInfo;
        const text = address.text.replace(/:\d+$/, `:${port}`);
        this.#listen = { ...address, port, text };
      }
      this.#server = server;
    });
  }

  /**
   * Takes no more connections; those that are there go on. A socket file stays behind, as that of a
   * killed server does.
   *
   * @returns A promise that resolves when nobody listens.
   */
  refuse(): Promise<void> {
    return this.#next(() => {
      if (this.#server !== undefined) this.#file?.leaveDead();
      // Not waiting for "close", which comes once the last connection is over.
      this.#server?.close();
      this.#server = undefined;
      return Promise.resolve();
    });
  }

  #next(step: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(step);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #onConnection(near: Socket): void {
    const faults = this.#plan.onConnection();
    this.#keep(near);
    this.#near.add(near);
    near.on("close", () => this.#near.delete(near));
    if (faults.some(({ type }) => type === "drop")) return void near.destroy();
    const target = this.#target;
    const far = target.kind === "unix"
      ? connectSocket(target.path)
      : connectSocket({ host: target.host, port: target.port, noDelay: true });
    this.#keep(far);
    near.on("close", () => far.destroy());
    near.pipe(far);
    // Or a client that hangs up after its server would not be noticed.
    far.on("close", () => near.resume());
    void relayBytes(far, near, faults, this.#clock);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {}); // the other side's affair; "close" follows
  }

  /**
   * Takes no more connections, and removes the socket file, as a server that stops in order does.
   * {@linkcode FaultyWire.open} makes a new one.
   *
   * @returns A promise that resolves when that is done.
   */
  async leave(): Promise<void> {
    this.#cancelTimer();
    await this.refuse();
    await this.#file?.remove();
  }

  /**
   * Breaks all connections and removes what it made.
   *
   * @returns A promise that resolves when nothing is open any more.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
    this.#plan.clear();
    const closed = [...this.#sockets].map((socket) =>
      new Promise<void>((resolve) => socket.once("close", () => resolve()))
    );
    await this.refuse();
    this.cut();
    await Promise.all(closed);
    await this.#folder?.remove();
  }

  /** The same as {@linkcode FaultyWire.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function started(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    listen();
  });
}
