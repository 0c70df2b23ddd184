/** What every transport of streaming calls has to offer. @module */
import { toBinary } from "@bufbuild/protobuf";
import { responseSchema as firstSchema } from "../../gen/legacy_output_pb.ts";
import { responseSchema } from "../../gen/outputs_pb.ts";
import type { OutputsResponse } from "../alert/alert_of_response.ts";

/** gRPC's own limit for a received message, which Falco's other clients have too. */
export const DEFAULT_MAX_MESSAGE_BYTES: number = 4 * 1024 * 1024;

/** How many messages may wait for the reader before the connection's window is left to close. */
export const HIGH_WATER_MARK = 256;

/** A message with an alert: its bytes, or what a transport has decoded already. */
export type StreamMessage = Uint8Array | OutputsResponse;

/**
 * Copies a message's bytes, or encodes them again.
 *
 * @param message The message.
 * @returns Its bytes.
 */
export function bytesOf(message: StreamMessage): Uint8Array {
  if (message instanceof Uint8Array) return Uint8Array.from(message);
  return message.$typeName === "falco.output.response"
    ? toBinary(firstSchema, message)
    : toBinary(responseSchema, message);
}

/**
 * A call whose answers are read a micro-batch at a time.
 *
 * Nothing is read ahead but about {@linkcode HIGH_WATER_MARK} messages and HTTP/2's window of
 * 64 KiB; a reader that stops reading stops the server.
 */
export interface StreamCall {
  /** When it was over, by the clock of the connection; undefined as long as it is not. */
  readonly endedAtMs: number | undefined;
  /**
   * Sends a request.
   *
   * @param message The encoded request.
   * @param last Whether it is the only or last one. Never for `sub`: Falco would not end that call.
   */
  send(message: Uint8Array, last?: boolean): void;
  /**
   * Takes all messages that are there.
   *
   * @returns The messages; undefined if there are none yet; null if the call ended with OK or was
   * cancelled, and none is left.
   * @throws {FalcoRpcError} If the call ended with another status, once its messages are taken.
   * @throws {FalcoConnectError} If the connection was lost, likewise.
   */
  take(): readonly StreamMessage[] | undefined | null;
  /**
   * Throws the messages away that are there.
   *
   * @returns How many there were.
   */
  discard(): number;
  /**
   * Calls back once, when `take` has something new to say. Setting it again replaces the one before.
   *
   * @param wake What to call, or undefined to be left alone.
   */
  onReady(wake: (() => void) | undefined): void;
  /**
   * Cancels the call. What has arrived can still be taken; what Falco has sent beyond that is lost,
   * that is how its API is.
   *
   * @returns A promise that resolves when the stream is closed.
   */
  cancel(): Promise<void>;
}
