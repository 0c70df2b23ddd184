/** What becomes of a subscription's connection, as data. @module */

/**
 * A moment in the life of a subscription: where it stands, and why.
 *
 * A life reads `connecting`, `open`, then for each loss `reconnecting`, `connecting`, `open`, `gap`,
 * and at last `closed`. Where an attempt fails, `reconnecting` follows `connecting`.
 *
 * - `connecting`: an attempt begins. `attempt` counts from 1 since the last healthy period.
 *   `address` is where it goes; the default address names both places, joined by " or ".
 * - `open`: the server is there and the call is made. That Falco has alerts to give, that
 *   `grpc_output` is on, or that it serves the call yet, it does not say: an idle Falco answers a call
 *   with nothing at all, and so does one that lets it wait because all its slots are taken (10 for
 *   each thread of `grpc.threadiness`) until another client leaves. A Falco before 0.24 is seen as
 *   open twice: with the service that was tried, then with the one it has.
 * - `gap`: follows `open` whenever the connection had been lost. `lostMs` is how long there was none,
 *   in milliseconds, and `received` how many alerts had come before. What Falco dropped or gave to
 *   others meanwhile cannot be known.
 * - `reconnecting`: the connection is lost, or was not to be had. The next attempt, number
 *   `attempt`, begins in `delayMs` milliseconds. `error` is undefined if Falco ended the call in
 *   order, as it does when it stops.
 * - `closed`: it is over, and nothing follows. `error` is what the stream failed with, undefined if
 *   the reader left, it was closed, or it ended.
 *
 * `atMs` is when it happened, in milliseconds since 1970-01-01T00:00:00Z by the client's clock.
 *
 * @example Say in a line how it is
 * ```ts
 * import type { Status } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * function describe(status: Status): string {
 *   switch (status.type) {
 *     case "connecting":
 *       return `connecting to ${status.address}`;
 *     case "reconnecting":
 *       return `${status.error?.message ?? "Falco stopped"}; next try in ${status.delayMs} ms`;
 *     default:
 *       return status.type;
 *   }
 * }
 * assert.equal(describe({ type: "closed", atMs: 0, error: undefined }), "closed");
 * ```
 */
export type Status =
  | {
    readonly type: "connecting";
    readonly atMs: number;
    readonly address: string;
    readonly attempt: number;
  }
  | {
    readonly type: "open";
    readonly atMs: number;
    readonly address: string;
    readonly service: SubscribeMethod;
  }
  | {
    readonly type: "gap";
    readonly atMs: number;
    readonly lostMs: number;
    readonly received: number;
  }
  | {
    readonly type: "reconnecting";
    readonly atMs: number;
    readonly attempt: number;
    readonly delayMs: number;
    readonly error: Error | undefined;
  }
  | { readonly type: "closed"; readonly atMs: number; readonly error: Error | undefined };

/**
 * The call that a subscription is made of: `falco.outputs.service/sub` since Falco 0.24,
 * `falco.output.service/subscribe` before.
 *
 * @example
 * ```ts
 * import type { SubscribeMethod } from "@falco-streams/core";
 *
 * const method: SubscribeMethod = "falco.outputs.service/sub";
 * console.assert(method.endsWith("sub"));
 * ```
 */
export type SubscribeMethod = "falco.outputs.service/sub" | "falco.output.service/subscribe";
