/** `gateway`: alerts from any Falco in, Falco's gRPC API out. @module */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { parseGatewayConfig } from "../gateway/check_gateway_config.ts";
import { startGateway } from "../gateway/gateway.ts";
import type { GatewayConfig } from "../gateway/gateway_config.ts";
import { GatewayConfigError } from "../gateway/gateway_config_error.ts";
import { formatLogEntry } from "../gateway/gateway_log.ts";
import { gatewaySchema } from "../gateway/gateway_shape.ts";
import type { CommandContext } from "./command.ts";
import { gatewayHelp, readGatewayArguments } from "./gateway_options.ts";
import { UsageError } from "./usage_error.ts";

/** The exit status that stands for SIGTERM with other commands: here it is how one is ended. */
const TERMINATED = 143;

/**
 * Runs the command.
 *
 * @param args The arguments after `gateway`.
 * @param context Where to print, and what interrupts.
 * @returns The exit status, once it has stopped.
 * @throws {UsageError} If an argument or the configuration is no good.
 */
export async function gateway(args: readonly string[], context: CommandContext): Promise<number> {
  const options = readGatewayArguments(args);
  const { stdout, stderr, interrupt } = context;
  if (options === "help" || options === "schema") {
    const schema = () => `${JSON.stringify(gatewaySchema(), null, 2)}\n`;
    await stdout.write(options === "help" ? gatewayHelp : schema());
    return 0;
  }
  const config = await readConfig(options.config);
  if (options.check) {
    const { sources, listeners } = config;
    await stdout.write(
      `${options.config}: right (sources: ${sources.length}, listeners: ${listeners.length})\n`,
    );
    return 0;
  }
  // A terminal that is closed, or a habit from other services, must not end it.
  const onHangUp = () => stderr.write(hangUpEntry());
  if (process.platform !== "win32") process.on("SIGHUP", onHangUp);
  try {
    const running = await startGateway(config, {
      onLog: (entry) => void stderr.write(formatLogEntry(entry)),
    });
    const stop = () => void running.close();
    interrupt.signal.addEventListener("abort", stop, { once: true });
    if (interrupt.signal.aborted) stop();
    for (const address of running.addresses.values()) stdout.write(`listening on ${address}\n`);
    await stdout.flush();
    await running.closed;
    return interrupt.status === undefined || interrupt.status === TERMINATED ? 0 : interrupt.status;
  } finally {
    if (process.platform !== "win32") process.off("SIGHUP", onHangUp);
  }
}

function hangUpEntry(): string {
  const time = new Date().toISOString();
  const problem = "SIGHUP changes nothing. Restart the gateway to read its configuration again";
  return formatLogEntry({ time, level: "warn", event: "hang-up", problem });
}

async function readConfig(file: string): Promise<GatewayConfig> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new UsageError(`${file}: ${(cause as Error).message}. Check the path`, { cause });
  }
  try {
    return parseGatewayConfig(text);
  } catch (cause) {
    if (!(cause instanceof GatewayConfigError)) throw cause;
    const { line, column, message } = cause;
    throw new UsageError(`${file}:${line}:${column}: ${message}`, { cause });
  }
}
