/**
 * A gateway: alerts from any Falco in, Falco's gRPC API out.
 *
 * Falco 0.44 removed its gRPC server. {@linkcode startGateway} takes alerts from what newer ones have
 * (HTTP, files, standard output) and from older ones' gRPC, and serves `falco.outputs.service` and
 * `falco.version.service` to any number of clients in any language.
 *
 * Limitations:
 * - Delivery is at most once, as with Falco: what waits in memory is lost when the process is killed.
 * - A client's certificate says that it may read, not what: there is one set of alerts a listener.
 * - Certificates are read at the start.
 *
 * Deno: `--allow-net --allow-read`, `--allow-write` for the folder of a unix socket, and
 * `--ignore-env=LOG_TOKENS,LOG_STREAM` for the YAML parser.
 *
 * @example
 * ```ts
 * import { parseGatewayConfig, startGateway } from "@falco-streams/core/gateway";
 *
 * const gateway = await startGateway(parseGatewayConfig(`
 * version: 1
 * sources:
 *   - { name: falco, type: http, listen: "127.0.0.1:0" }
 * listeners:
 *   - { name: local, address: "unix:///tmp/falco-gateway-example.sock" }
 * `));
 * await gateway.close();
 * ```
 *
 * @module
 */
export { checkGatewayConfig, parseGatewayConfig } from "./check_gateway_config.ts";
export { startGateway } from "./gateway.ts";
export type { Gateway, GatewayOptions } from "./gateway.ts";
export type {
  GatewayAdminConfig,
  GatewayConfig,
  GatewayFileSourceConfig,
  GatewayGrpcSourceConfig,
  GatewayHttpSourceConfig,
  GatewayListenerConfig,
  GatewayLogLevel,
  GatewayQueueConfig,
  GatewaySourceConfig,
  GatewayStdinSourceConfig,
} from "./gateway_config.ts";
export { GatewayConfigError } from "./gateway_config_error.ts";
export { formatLogEntry } from "./gateway_log.ts";
export type { GatewayLogEntry } from "./gateway_log.ts";
export { gatewaySchema } from "./gateway_shape.ts";
