/** Room for connections, and who leaves when there is none. @module */
import type { Socket } from "node:net";
import type { CancelTimer, Clock } from "../clock.ts";
import type { RefusalReason } from "./http_receiver_options.ts";

/**
 * How many requests in a row may bring no alert. Nobody waits for their turn while requests that came
 * together are read and answered, and Deno and Bun go on with those of one connection for as long as
 * there are more.
 */
const MAX_BARREN = 100;
/** How many may be unanswered: a Falco has one. On Deno all that come together are, at first. */
const MAX_UNANSWERED = 1024;

/** Options of {@linkcode ConnectionSlots}. */
export interface ConnectionSlotsOptions {
  /** How many connections at once. */
  readonly max: number;
  /** How long it may take until a connection is encrypted; undefined if it never will be. */
  readonly handshakeMs: number | undefined;
  readonly clock: Clock;
  /** Learns of each that is closed, and why. */
  onRefused(reason: RefusalReason): void;
}

/** A connection that is open. */
interface Slot {
  readonly socket: Socket;
  /** It is not encrypted yet. */
  isHandshaking: boolean;
  cancelTimer: CancelTimer;
  /** Requests that have begun and are not answered. */
  requests: number;
  /** Those of them whose alerts are taken. */
  taken: number;
  /** It has brought an alert. */
  hasBrought: boolean;
  /** How many requests in a row have brought none. */
  barren: number;
  /** It is being closed: what else it brings is not looked at. */
  isLeaving: boolean;
}

/** A request, to tell what becomes of it. */
export interface SlotRequest {
  /** Whether its connection is being closed. */
  readonly isLeaving: boolean;
  /** Its alerts are taken. */
  taken(): void;
  /** It brings none. Returns whether it is to be the last of its connection. */
  barren(): boolean;
  /** It is over. */
  over(): void;
}

/**
 * Holds a number of connections. When there is one too many, the one leaves that has been of the least
 * use: of those that never brought an alert the one that is there the longest, then of those that
 * did the one that has been silent the longest. Closing a connection between two alerts loses none:
 * Falco opens a new one (falco-outputs 3.1). One whose answer is awaited never leaves.
 *
 * So a flood of connections that send nothing, or do it slowly, does not lock good senders out. Nor
 * does a flood of requests on one connection: it is closed when a hundred in a row brought no alert, or
 * a thousand wait for their answers.
 */
export class ConnectionSlots {
  readonly #options: ConnectionSlotsOptions;
  /** By the sender's address and port, as an encrypted socket is another object; the most recently used last. */
  readonly #slots = new Map<string, Slot>();

  /**
   * @param options How many, and whom to tell.
   */
  constructor(options: ConnectionSlotsOptions) {
    this.#options = options;
  }

  /**
   * Takes a new connection in, or closes it.
   *
   * @param socket The connection.
   */
  admit(socket: Socket): void {
    const { max, handshakeMs, clock, onRefused } = this.#options;
    if (this.#slots.size >= max) {
      onRefused("connections");
      const leaving = this.#leastUseful();
      if (leaving === undefined) return void socket.destroy();
      this.#remove(leaving);
    }
    const name = nameOf(socket);
    const slot: Slot = {
      socket,
      isHandshaking: handshakeMs !== undefined,
      cancelTimer: () => {},
      requests: 0,
      taken: 0,
      hasBrought: false,
      barren: 0,
      isLeaving: false,
    };
    this.#slots.set(name, slot);
    if (handshakeMs !== undefined) {
      slot.cancelTimer = clock.setTimer(() => {
        onRefused("timeout");
        this.#remove(name);
      }, handshakeMs);
    }
    socket.once("close", () => {
      if (this.#slots.get(name) !== slot) return;
      this.#slots.delete(name);
      slot.cancelTimer();
      // Whoever's certificate was not accepted, who did not accept ours, or speaks no TLS.
      if (slot.isHandshaking) onRefused("malformed");
    });
  }

  /**
   * Learns that a connection is encrypted.
   *
   * @param socket The connection.
   */
  encrypted(socket: Socket): void {
    const slot = this.#slots.get(nameOf(socket));
    if (slot === undefined) return;
    slot.isHandshaking = false;
    slot.cancelTimer();
  }

  /**
   * Learns that a request has begun.
   *
   * @param socket Its connection.
   * @returns What to tell of it; undefined if it is not to be served, as its connection is closed.
   */
  request(socket: Socket): SlotRequest | undefined {
    const name = nameOf(socket);
    const slot = this.#slots.get(name);
    let wasTaken = false;
    if (slot !== undefined) {
      if (!slot.isLeaving && slot.requests >= MAX_UNANSWERED) {
        slot.isLeaving = true;
        this.#options.onRefused("overflow");
      }
      if (slot.isLeaving) {
        // At once, not when the last answer is out: until then the platform goes on with the next.
        socket.destroy();
        return undefined;
      }
      slot.requests++;
    }
    return {
      get isLeaving() {
        return slot?.isLeaving ?? false;
      },
      taken: () => {
        if (slot === undefined || wasTaken) return;
        wasTaken = true;
        slot.taken++;
        slot.hasBrought = true;
        slot.barren = 0;
      },
      barren: () => {
        if (slot === undefined) return false;
        if (++slot.barren >= MAX_BARREN) slot.isLeaving = true;
        return slot.isLeaving;
      },
      over: () => {
        if (slot === undefined) return;
        slot.requests--;
        if (!wasTaken) return;
        slot.taken--;
        if (this.#slots.get(name) !== slot) return;
        this.#slots.delete(name);
        this.#slots.set(name, slot);
      },
    };
  }

  #leastUseful(): string | undefined {
    let silent: string | undefined;
    for (const [name, slot] of this.#slots) {
      if (!slot.hasBrought) return name;
      if (slot.requests === 0) silent ??= name;
    }
    return silent;
  }

  #remove(name: string): void {
    const slot = this.#slots.get(name)!;
    this.#slots.delete(name);
    slot.cancelTimer();
    slot.socket.destroy();
  }
}

function nameOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
