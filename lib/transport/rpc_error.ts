/** A gRPC status other than OK, in words a user can act on. @module */
import { FalcoRpcError } from "../errors.ts";

const UNIMPLEMENTED = 12;

/**
 * Turns a status into an error.
 *
 * @param method The method that was called, without the leading slash.
 * @param status The gRPC status code, not 0.
 * @param text What the server says about it, if anything.
 * @param cause The error below, if there is one.
 * @returns The error to hand to the user.
 */
export function rpcError(
  method: string,
  status: number,
  text: string,
  cause?: unknown,
): FalcoRpcError {
  const detail = text === "" ? "" : ` (${text})`;
  const remedy = status === UNIMPLEMENTED
    ? ". The server does not offer that method: Falco 0.18 to 0.43 has gRPC, and tells its version from 0.20 on"
    : "";
  return new FalcoRpcError(`Cannot call ${method}: status ${status}${detail}${remedy}`, {
    method,
    status,
    cause,
  });
}
