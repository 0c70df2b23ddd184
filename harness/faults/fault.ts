/** Faults as data. @module */

/**
 * When a {@linkcode Fault} strikes. Whatever is said must hold; with nothing said it strikes at once.
 *
 * After it has struck, all of it counts anew from 0, until it has struck `times` times:
 * `{ onCall: 2, times: 3 }` are the second, the fourth and the sixth call.
 *
 * @example On the second `sub`, after its tenth alert
 * ```ts
 * import type { FaultTrigger } from "@falco-streams/core/harness";
 *
 * const trigger: FaultTrigger = { method: "sub", onCall: 2, afterAlerts: 10 };
 * console.assert(trigger.times === undefined);
 * ```
 */
export interface FaultTrigger {
  /** Not before this many milliseconds have passed, on the fake's clock, since it was armed; in a scenario, on the time of its alerts. Default 0. */
  readonly afterMs?: number;
  /** On the n-th call from now, from 1. */
  readonly onCall?: number;
  /** On the n-th connection from now, from 1. */
  readonly onConnection?: number;
  /** Once this many alerts have been sent: on the call that `onCall` chose, or on all calls together. */
  readonly afterAlerts?: number;
  /** Only calls of this method count. Default: `sub` and `get`. */
  readonly method?: FaultMethod;
  /** How often. Default 1. */
  readonly times?: number;
}

/**
 * The methods that a {@linkcode FaultTrigger} can wait for.
 *
 * @example
 * ```ts
 * import type { FaultMethod } from "@falco-streams/core/harness";
 *
 * const methods: FaultMethod[] = ["sub", "get", "version"];
 * console.assert(methods.length === 3);
 * ```
 */
export type FaultMethod = "sub" | "get" | "version";

/**
 * Something that goes wrong, once or more. As an object in code, and in the same form under `faults:`
 * of a scenario file.
 *
 * What acts on a call strikes the one that the trigger chose; without a position it is the oldest
 * open call, or else the next one. What acts on an alert strikes the next one. "Real" is what Falco, its machine or the network
 * between do; the others are inventions for the tests of clients, and say `real: false` in the log.
 *
 * @example The stream is reset after three alerts, the first two times
 * ```ts
 * import { buildAlert, FakeFalco } from "@falco-streams/core/harness";
 * import type { Fault } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const reset: Fault = { type: "reset", code: 8, afterAlerts: 3, times: 2 };
 * const fake = await FakeFalco.start({ faults: [reset] });
 * fake.push(buildAlert());
 * assert.equal(fake.faults.length, 0); // none has struck yet
 * await fake.stop();
 * ```
 */
export type Fault =
  & FaultTrigger
  & (
    /** Real (a killed Falco): nobody listens, for `forMs` or for good. What is connected stays. Needs the wire; knows no position but `afterMs`, calls and alerts. */
    | { readonly type: "refuse"; readonly forMs?: number }
    /** Real: the connection breaks, without a goodbye. All of them, if the trigger names no call and no connection. */
    | { readonly type: "drop" }
    /** Real (Falco's bounded `outputs_queue`): the next alert is dropped, and counted. */
    | { readonly type: "lose" }
    /** Real: the next alert waits `ms` before it is sent. */
    | { readonly type: "delay"; readonly ms: number }
    /** Real (a stopped process): nothing more is sent, the connection stays. On the call, or with `afterBytes` on the wire. For `forMs`, or for good. */
    | { readonly type: "stall"; readonly afterBytes?: number; readonly forMs?: number }
    /** Real: half of the next alert, or with `afterBytes` so many bytes on the wire; then silence, or the connection breaks. Default `close`. */
    | {
      readonly type: "truncate";
      readonly afterBytes?: number;
      readonly then?: "silence" | "close";
    }
    /** Real: bytes come `bytes` at a time, `everyMs` apart (default: as fast as they go). Needs the wire. */
    | { readonly type: "split"; readonly bytes: number; readonly everyMs?: number }
    /** Invented, but for code 8 of proxies: RST_STREAM with an HTTP/2 error code. */
    | { readonly type: "reset"; readonly code: number }
    /** Real with code 11 (`too_many_pings`) and 0 (an orderly stop): GOAWAY. With 0 open calls go on, with any other the connection is closed. */
    | { readonly type: "goaway"; readonly code: number; readonly text?: string }
    /** Real with 0, 2, 8, 12 and 13: the call ends with this gRPC status. */
    | { readonly type: "status"; readonly status: number; readonly message?: string }
    /** Invented: the call ends with these trailers, as they are: none, wrong ones, one twice. */
    | { readonly type: "trailers"; readonly trailers: FaultTrailers }
    /** Real with `oversized` only (above gRPC's 4 MiB, or `bytes`): the next alert is not what it should be. */
    | { readonly type: "alter"; readonly to: AlteredMessage; readonly bytes?: number }
    /** Invented: the client may send no byte on its calls. Told right after the first SETTINGS, so that with Bun as server a client that is quick may get one request out. */
    | { readonly type: "zero-window" }
    /** Real: certificates that clients refuse. From the start on and for good; needs TLS with certificates of the fake's own making. */
    | { readonly type: "certificate"; readonly is: "expired" | "wrong-name" | "other-authority" }
    /** Real (a second Falco came and went): the socket file is gone, and back after `forMs` if that is given. */
    | { readonly type: "socket"; readonly forMs?: number }
    /** Real: killed, and started again after `downMs` (default 0) at the same address. What was queued is lost. */
    | { readonly type: "restart"; readonly downMs?: number }
  );

/**
 * The kinds of a {@linkcode Fault}.
 *
 * @example
 * ```ts
 * import type { FaultType } from "@falco-streams/core/harness";
 *
 * const type: FaultType = "goaway";
 * console.assert(type.length === 6);
 * ```
 */
export type FaultType = Fault["type"];

/**
 * Trailers to send, by name; an array sends one several times.
 *
 * @example
 * ```ts
 * import type { FaultTrailers } from "@falco-streams/core/harness";
 *
 * const trailers: FaultTrailers = { "grpc-status": ["0", "13"], "grpc-message": "%zz" };
 * console.assert(trailers["grpc-status"]?.length === 2);
 * ```
 */
export interface FaultTrailers {
  /** The texts to send under that name. */
  readonly [name: string]: string | readonly string[];
}

/**
 * What an alert can be altered to: longer than clients accept; text that is no UTF-8; a priority, or
 * a field, that no Falco has; bytes that are no protobuf; a frame that says it is compressed.
 *
 * @example
 * ```ts
 * import type { AlteredMessage } from "@falco-streams/core/harness";
 *
 * const altered: AlteredMessage = "unknown-field";
 * console.assert(altered.startsWith("unknown"));
 * ```
 */
export type AlteredMessage =
  | "oversized"
  | "invalid-utf8"
  | "unknown-priority"
  | "unknown-field"
  | "no-protobuf"
  | "compressed";

/**
 * What a fault did, once.
 *
 * @example
 * ```ts
 * import { buildAlert, FakeFalco } from "@falco-streams/core/harness";
 * import type { FaultRecord } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const fake = await FakeFalco.start();
 * fake.push(buildAlert(), buildAlert());
 * fake.inject({ type: "restart" });
 * const [record]: readonly FaultRecord[] = fake.faults;
 * assert.equal(record?.lostAlerts, 2);
 * await fake.stop();
 * ```
 */
export interface FaultRecord {
  /** The fault, as it was given. */
  readonly fault: Fault;
  /** When, in milliseconds on the fake's clock. */
  readonly atMs: number;
  /** Whether a Falco, its machine or a network do such a thing. */
  readonly real: boolean;
  /** The call it struck, by its method; undefined if it struck no single one. */
  readonly method: string | undefined;
  /** Alerts that were taken out of the queue and will not be sent, as far as the fake knows. */
  readonly lostAlerts: number;
}
