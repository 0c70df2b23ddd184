/** What stands where a unix socket should be. @module */
import { stat } from "node:fs/promises";
import { FalcoConnectError } from "../errors.ts";
import type { Address } from "./address.ts";

/**
 * Looks at the path of a socket that could not be connected to. The system tells a stale socket, a
 * folder and a file apart in no runtime.
 *
 * @param address Where the connection should have gone.
 * @param cause What the runtime reported.
 * @returns The error to hand to the user, which does not pass by itself; undefined if it is a socket,
 * if that cannot be known, or if `cause` speaks of something else.
 */
export async function notASocket(
  address: Address,
  cause: unknown,
): Promise<FalcoConnectError | undefined> {
  const { code } = (cause ?? {}) as { code?: unknown };
  if (address.kind !== "unix" || !codes.has(code)) return undefined;
  const { path, text } = address;
  const problem = await describe(path);
  if (problem === undefined) return undefined;
  return new FalcoConnectError(`Cannot connect to ${text}: ${problem}`, {
    address: text,
    reason: "not-found",
    passing: false,
    cause,
  });
}

/** With which of them depends on the runtime and the system. */
const codes: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "ENOTDIR",
  "ENOTSOCK",
  "EISDIR",
]);

async function describe(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) {
      return "it is a folder, not a socket. Give the path of the socket; Docker makes a folder " +
        "where it is told to mount a socket that is not there";
    }
    if (found.isFile()) {
      return "it is an ordinary file, not a socket. Give the path in Falco's grpc.bind_address";
    }
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOTDIR") {
      return "a part of the path is a file, not a folder. Give the path in Falco's " +
        "grpc.bind_address";
    }
    // It has just gone, or this program may not look.
  }
  return undefined;
}
