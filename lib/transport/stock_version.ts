/** Falco's version, through connect-node. @module */
import type { MessageShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { service as versionService } from "../../gen/version_pb.ts";
import type { SessionManager } from "./session_manager.ts";
import { createStockTransport, stockError } from "./stock_transport.ts";

/**
 * Calls `falco.version.service/version`.
 *
 * @param manager The connection.
 * @param options The longest answer to accept, in bytes, and what cancels the call.
 * @returns The answer.
 * @throws {FalcoConnectError} If there is no connection to be had, or it is lost.
 * @throws {FalcoRpcError} If the server answers with another status than OK.
 * @throws The signal's reason, if it was cancelled.
 */
export async function callVersion(
  manager: SessionManager,
  options: { maxMessageBytes: number; signal: AbortSignal },
): Promise<MessageShape<typeof versionService.method.version.output>> {
  const { maxMessageBytes, signal } = options;
  const client = createClient(versionService, createStockTransport(manager, maxMessageBytes));
  try {
    return await client.version({}, { signal });
  } catch (error) {
    throw stockError(error, "falco.version.service/version", manager, signal);
  }
}
