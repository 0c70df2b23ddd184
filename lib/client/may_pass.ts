/** Which failures are worth another attempt. @module */
import { FalcoConnectError, FalcoRpcError } from "../errors.ts";
import { isHangUp } from "../transport/connection_error.ts";

/**
 * The statuses after which the same call can succeed.
 *
 * Of Falco itself come only 8 (more than two PINGs, an alert above the limit: it is gone, the next
 * one is not), 12 and 13 (a request that it cannot read). The
 * others come from proxies in between: 1 and 4 when they end a call that took long, 2, 10, 14 and 15
 * when Falco is away. The rest says that the call is wrong, or not allowed, and will stay so.
 */
const PASSING: ReadonlySet<number> = new Set([1, 2, 4, 8, 10, 13, 14, 15]);

/**
 * Says whether another attempt may succeed without anybody changing a setting.
 *
 * @param error What ended the last one.
 * @param wasOpen Whether there had been a connection before with the same credentials: then a
 * permission that is missing now is a socket whose mode is not yet set again, and a server that hangs
 * up without a word is being stopped, rather than refusing the client's certificate.
 * @returns True if so.
 */
export function mayPass(error: unknown, wasOpen: boolean): boolean {
  if (error instanceof FalcoRpcError) return PASSING.has(error.status);
  if (!(error instanceof FalcoConnectError)) return false;
  if (error.passing) return true;
  return wasOpen &&
    (error.reason === "permission" || error.reason === "tls" && isHangUp(error.cause));
}
