/**
 * Every error class this package throws, one for each thing a caller would catch.
 *
 * Messages follow one sentence pattern, "Cannot do this: that is the state. This is the remedy", and
 * the error that caused them stays in `cause`. Wrong options are not here: they are the built-in
 * `TypeError` and `RangeError`, thrown where the option is given.
 *
 * @module
 */

/**
 * What the errors of this package have in common, to catch them all with one `instanceof`.
 *
 * @example Catch whatever goes wrong between Falco and a pipeline
 * ```ts
 * import { FalcoError } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * const error = new FalcoError("Cannot read the alert: it is empty");
 * assert(error instanceof Error);
 * assert.equal(error.name, "FalcoError");
 * ```
 */
export class FalcoError extends Error {
  /** The name of the class, as shown in stack traces. */
  override name: string = "FalcoError";
}

/**
 * Why a connection could not be made, or was lost.
 *
 * - `not-found`: no socket there, the host name does not resolve, or no network leads to the host
 * - `refused`: nobody listens: Falco is not running, or left a stale socket file behind; or it hangs,
 *   and its queue of connections is full; or this side has no room for another one. Bun says so of
 *   a host without a network, too
 * - `permission`: the socket file belongs to another user
 * - `tls`: one side did not accept the other side's certificate, or does not speak TLS
 * - `timeout`: no answer within `connectTimeoutMs`
 * - `lost`: the connection was there and broke
 * - `protocol`: the other side does not speak HTTP/2 as a gRPC server does
 *
 * Whether it may pass by itself says `FalcoConnectError.passing`.
 *
 * @example Which of them mean that there is no way to Falco at the moment
 * ```ts
 * import type { FalcoConnectReason } from "@falco-streams/core";
 *
 * const down: FalcoConnectReason[] = ["not-found", "refused", "lost"];
 * console.assert(!down.includes("tls"));
 * ```
 */
export type FalcoConnectReason =
  | "not-found"
  | "refused"
  | "permission"
  | "tls"
  | "timeout"
  | "lost"
  | "protocol";

/**
 * There is no connection to Falco: it could not be made, or it was lost.
 *
 * @example Tell a Falco that is not running from one that refuses the certificate
 * ```ts
 * import { connect, FalcoConnectError } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * const falco = connect("unix:///tmp/there-is-no-falco-here.sock");
 * const error = await falco.version().catch((error: unknown) => error);
 * assert(error instanceof FalcoConnectError);
 * assert.equal(error.reason, "not-found");
 * await falco.close();
 * ```
 */
export class FalcoConnectError extends FalcoError {
  /** The name of the class, as shown in stack traces. */
  override name: string = "FalcoConnectError";
  /** The address as the user would write it. */
  readonly address: string;
  /** The kind of failure, for programs; the message is for people. */
  readonly reason: FalcoConnectReason;
  /**
   * Whether it may pass by itself, as when Falco is just being restarted, or certificates in files
   * that were good before are being renewed: then a subscription tries again. False where somebody has
   * to change something first.
   */
  readonly passing: boolean;

  /**
   * Makes the error.
   *
   * @param message What cannot be done, the state, and the remedy.
   * @param details The address, the kind of failure, and the error below, if there is one. `passing`
   * is by default what is true of most failures of that kind.
   */
  constructor(
    message: string,
    details: { address: string; reason: FalcoConnectReason; passing?: boolean; cause?: unknown },
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.address = details.address;
    this.reason = details.reason;
    this.passing = details.passing ??
      ["not-found", "refused", "timeout", "lost"].includes(details.reason);
  }
}

/**
 * Falco's gRPC server answered a call with a status other than OK.
 *
 * @example Look at the status
 * ```ts
 * import { FalcoRpcError } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * const error = new FalcoRpcError("Cannot call falco.outputs.service/sub: unimplemented", {
 *   method: "falco.outputs.service/sub",
 *   status: 12,
 * });
 * assert.equal(error.status, 12);
 * ```
 */
export class FalcoRpcError extends FalcoError {
  /** The name of the class, as shown in stack traces. */
  override name: string = "FalcoRpcError";
  /** The method as it stands on the wire, without the leading slash. */
  readonly method: string;
  /** The gRPC status code, 1 to 16. */
  readonly status: number;

  /**
   * Makes the error.
   *
   * @param message What cannot be done, the state, and the remedy.
   * @param details The method, the gRPC status code, and the error below, if there is one.
   */
  constructor(message: string, details: { method: string; status: number; cause?: unknown }) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.method = details.method;
    this.status = details.status;
  }
}

/**
 * Something was used after it was closed: a client, a fake Falco, a stream operator.
 *
 * @example A closed client refuses further calls
 * ```ts
 * import { connect, FalcoClosedError } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * const falco = connect("unix:///run/falco/falco.sock");
 * await falco.close();
 * await assert.rejects(() => falco.version(), FalcoClosedError);
 * ```
 */
export class FalcoClosedError extends FalcoError {
  /** The name of the class, as shown in stack traces. */
  override name: string = "FalcoClosedError";
}

/**
 * A bounded queue got an item it had no room for, and was told to fail then: `overflow: "error"` of
 * `BufferStream`, `broadcastReadableStream` and `routeReadableStream`.
 *
 * @example Start again when a reader was too slow
 * ```ts
 * import { OverflowError } from "@falco-streams/core";
 * import { BufferStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * let made = 0;
 * const endless = new ReadableStream<number>({ pull: (controller) => controller.enqueue(made++) });
 * const buffered = endless.pipeThrough(new BufferStream(2, { overflow: "error" }));
 * try {
 *   // The reader is away for longer than the buffer can hold what comes.
 *   for await (const _ of buffered) await new Promise((resolve) => setTimeout(resolve, 10));
 *   assert.fail("unreachable");
 * } catch (error) {
 *   assert(error instanceof OverflowError);
 *   assert.equal(error.capacity, 2);
 * }
 * ```
 */
export class OverflowError extends FalcoError {
  /** The name of the class, as shown in stack traces. */
  override name: string = "OverflowError";
  /** How many items the queue holds. */
  readonly capacity: number;

  /**
   * Makes the error.
   *
   * @param message What cannot be done, the state, and the remedy.
   * @param details How many items the queue holds, and the error below, if there is one.
   */
  constructor(message: string, details: { capacity: number; cause?: unknown }) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.capacity = details.capacity;
  }
}

/**
 * A line, a message or a file that should hold alerts does not.
 *
 * @example Point at the place
 * ```ts
 * import { AlertFormatError, parseAlert } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * try {
 *   parseAlert('{"rule": oops}');
 *   assert.fail("unreachable");
 * } catch (error) {
 *   assert(error instanceof AlertFormatError);
 *   assert.equal(error.column, 10);
 * }
 * ```
 */
export class AlertFormatError extends FalcoError {
  /** The name of the class, as shown in stack traces. */
  override name: string = "AlertFormatError";
  /** The line in the text that was parsed, from 1; 1 if it was a single line. */
  readonly line: number;
  /** The column in UTF-16 units, from 1; 1 if the line as a whole is wrong. */
  readonly column: number;

  /**
   * Makes the error.
   *
   * @param message What is wrong, without the place.
   * @param place Where it is wrong, and the error below, if there is one.
   */
  constructor(message: string, place: { line?: number; column?: number; cause?: unknown } = {}) {
    super(message, place.cause === undefined ? undefined : { cause: place.cause });
    this.line = place.line ?? 1;
    this.column = place.column ?? 1;
  }
}
