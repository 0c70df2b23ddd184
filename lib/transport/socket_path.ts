/** How long the path of a unix socket may be. @module */
import process from "node:process";
import { FalcoConnectError } from "../errors.ts";
import type { Address } from "./address.ts";

/** The longest path that a socket can have. Windows has pipes instead, which have no such limit. */
export const MAX_SOCKET_PATH_BYTES = process.platform === "win32"
  ? Infinity
  : process.platform === "darwin"
  ? 103
  : 107;

/**
 * Refuses a path that is too long. Not left to the system: Node 22 cuts it, and connects to whatever
 * is there.
 *
 * @param address Where a connection is to go.
 * @throws {FalcoConnectError} If no socket can be there.
 */
export function requirePathFits(address: Address): void {
  if (address.kind !== "unix") return;
  const { length } = new TextEncoder().encode(address.path);
  if (length <= MAX_SOCKET_PATH_BYTES) return;
  throw new FalcoConnectError(
    `Cannot connect to ${address.text}: the path has ${length} bytes, and that of a socket may have ` +
      "107 on Linux and 103 on macOS. Use a shorter one, such as a symbolic link to the folder",
    { address: address.text, reason: "not-found", passing: false },
  );
}
