/** gRPC's shortest answer. @module */
import type { ContractCall } from "./contract_call.ts";
import { same } from "./difference.ts";

/**
 * That an answer is a single header block with a status, as gRPC's C core sends it without a message.
 *
 * @param call The call, once it has ended.
 * @param status The status.
 * @param message Its words; none if undefined.
 * @throws {Difference} If it is not.
 */
export function insistOnTrailersOnly(call: ContractCall, status: number, message?: string): void {
  const { headers = {} } = call;
  same("HTTP status, gRPC status and words", [
    headers[":status"],
    headers["grpc-status"],
    headers["grpc-message"],
  ], [200, String(status), message]);
  same("events", call.events, ["headers", "end"]);
}
