/** What a configuration means, and whether that can be done safely. @module */
import { compileCondition } from "../lib/condition/compile_condition.ts";
import { AlertFormatError } from "../lib/errors.ts";
import { parseAddress } from "../lib/transport/address.ts";
import { readYaml } from "../lib/yaml/yaml_value.ts";
import { nameOf, problemsOf } from "./config_shape.ts";
import type { ShapeProblem } from "./config_shape.ts";
import type {
  GatewayConfig,
  GatewayHttpSourceConfig,
  GatewayListenerConfig,
  GatewaySourceConfig,
} from "./gateway_config.ts";
import { GatewayConfigError } from "./gateway_config_error.ts";
import { gatewayShape } from "./gateway_shape.ts";

type Path = readonly (string | number)[];

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost):/;

/**
 * Reads a `gateway.yaml`: YAML 1.2 with the keys of {@linkcode GatewayConfig}, and no others.
 *
 * Files that it names are not opened; relative paths count from the working directory.
 *
 * Deno: the YAML parser looks at two variables, so `--allow-env=LOG_TOKENS,LOG_STREAM`, or
 * `--ignore-env` of the same.
 *
 * @param text The file.
 * @returns The configuration, with nothing filled in that the file leaves out.
 * @throws {GatewayConfigError} If it is no YAML, has an unknown, duplicate or missing key, a value of
 * the wrong type or out of range, a name twice, a bad address or condition, or would let everybody
 * in. `line` and `column` say where; of several mistakes the first is reported, those against YAML
 * before all others, and those of meaning last.
 *
 * @example
 * ```ts
 * import { parseGatewayConfig } from "@falco-streams/core/gateway";
 * import assert from "node:assert/strict";
 *
 * const config = parseGatewayConfig(`
 * version: 1
 * sources:
 *   - { name: falco, type: http, listen: "127.0.0.1:2801" }
 * listeners:
 *   - name: local
 *     address: unix:///run/falco/falco.sock
 *     filter: alert.priority >= warning
 * `);
 * assert.equal(config.listeners[0]?.delivery, undefined); // which stands for "fanout"
 * ```
 */
export function parseGatewayConfig(text: string): GatewayConfig {
  try {
    const root = readYaml(text, "gateway configuration");
    const data = root.data();
    const found = firstProblem(data);
    if (found !== undefined) root.failAt(found.path, found.problem, found.at);
    return data as unknown as GatewayConfig;
  } catch (cause) {
    if (!(cause instanceof AlertFormatError)) throw cause;
    const { message, line, column } = cause;
    throw new GatewayConfigError(message, { line, column, cause });
  }
}

/**
 * Checks a configuration that was made in code.
 *
 * @param config The configuration.
 * @throws {GatewayConfigError} As {@linkcode parseGatewayConfig}, without line and column.
 *
 * @example
 * ```ts
 * import { checkGatewayConfig, GatewayConfigError } from "@falco-streams/core/gateway";
 * import assert from "node:assert/strict";
 *
 * const sources = [{ name: "open", type: "http", listen: "0.0.0.0:2801" }] as const;
 * const listeners = [{ name: "local", address: "unix:///run/falco/falco.sock" }];
 * assert.throws(() => checkGatewayConfig({ version: 1, sources, listeners }), GatewayConfigError);
 * ```
 */
export function checkGatewayConfig(config: GatewayConfig): void {
  const found = firstProblem(config);
  if (found === undefined) return;
  throw new GatewayConfigError(`Cannot use the gateway configuration: ${found.problem}`);
}

function firstProblem(data: unknown): ShapeProblem | undefined {
  for (const problem of problemsOf(data, gatewayShape)) return problem;
  for (const problem of problemsOfMeaning(data as GatewayConfig)) return problem;
  return undefined;
}

function* problemsOfMeaning(config: GatewayConfig): Generator<ShapeProblem, void> {
  const { sources, listeners, admin } = config;
  const taken = new Map<string, Path>();
  for (const [index, source] of sources.entries()) {
    const path: Path = ["sources", index];
    yield* repeated(taken, `source ${source.name}`, [...path, "name"]);
    if (source.type === "stdin") yield* repeated(taken, "standard input", [...path, "type"]);
    yield* problemsOfSource(source, path);
    if (source.type === "http") yield* repeatedPort(taken, source.listen, [...path, "listen"]);
  }
  for (const [index, listener] of listeners.entries()) {
    const path: Path = ["listeners", index];
    yield* repeated(taken, `listener ${listener.name}`, [...path, "name"]);
    yield* problemsOfListener(listener, path);
    yield* repeatedPort(taken, listener.address, [...path, "address"]);
  }
  if (admin === undefined) return;
  yield* badPort(admin.listen, ["admin", "listen"]);
  yield* repeatedPort(taken, admin.listen, ["admin", "listen"]);
  if (!LOOPBACK.test(admin.listen) && admin.allowInsecure !== true) {
    const remedy = 'Listen on 127.0.0.1, or set "allowInsecure"';
    yield wrong(["admin", "listen"], `would tell everybody who reaches it. ${remedy}`);
  }
}

function* problemsOfSource(source: GatewaySourceConfig, path: Path): Generator<ShapeProblem, void> {
  if (source.type === "grpc") {
    yield* problemsOfAddress(source.address, source.tls, false, path);
  } else if (source.type === "http") {
    const listen = [...path, "listen"];
    yield* badPort(source.listen, listen);
    if (source.token !== undefined && source.tokenFile !== undefined) {
      yield wrong([...path, "tokenFile"], 'cannot stand beside "token". Remove one of them');
    }
    if (!LOOPBACK.test(source.listen) && !isGuarded(source)) {
      const remedy = 'Set "token", "tokenFile", or "tls" with "clientCa", or "allowInsecure"';
      yield wrong(listen, `would let everybody who reaches it forge alerts. ${remedy}`);
    }
  }
}

function isGuarded(source: GatewayHttpSourceConfig): boolean {
  const { token, tokenFile, tls, allowInsecure } = source;
  return token !== undefined || tokenFile !== undefined || tls?.clientCa !== undefined ||
    allowInsecure === true;
}

function* problemsOfListener(
  listener: GatewayListenerConfig,
  path: Path,
): Generator<ShapeProblem, void> {
  const { address, tls, delivery = "fanout", filter, queue, replay } = listener;
  yield* problemsOfAddress(address, tls, true, path);
  if (filter !== undefined) {
    try {
      compileCondition(filter);
    } catch (error) {
      yield wrong([...path, "filter"], `is no condition. ${(error as Error).message}`);
    }
  }
  const other = delivery === "fanout" ? "shared" : "fanout";
  const onlyOther = delivery === "fanout" ? "drop-newest" : "disconnect";
  if (queue?.overflow === onlyOther) {
    const problem = `cannot be ${onlyOther} with delivery ${delivery}. That goes with ${other}`;
    yield wrong([...path, "queue", "overflow"], problem);
  }
  if (replay !== undefined && delivery === "shared") {
    yield wrong([...path, "replay"], "goes with delivery fanout. Remove one of them");
  }
}

function* problemsOfAddress(
  text: string,
  tls: object | undefined,
  listening: boolean,
  path: Path,
): Generator<ShapeProblem, void> {
  const at = [...path, "address"];
  let kind: "unix" | "tls";
  try {
    kind = parseAddress(text, { listening }).kind;
  } catch (error) {
    return yield wrong(at, `is no address. ${(error as Error).message}`);
  }
  if (kind === "tls" && tls === undefined) {
    const remedy = 'Add "tls" with "ca", "cert" and "key", or use a unix socket';
    yield wrong(at, `is TCP, which needs mutual TLS. ${remedy}`);
  }
  if (kind === "unix" && tls !== undefined) {
    yield wrong([...path, "tls"], "goes with TCP: there is no TLS on unix sockets. Remove it");
  }
}

function* badPort(listen: string, path: Path): Generator<ShapeProblem, void> {
  const port = Number(listen.slice(listen.lastIndexOf(":") + 1));
  if (port > 65_535) yield wrong(path, `names port ${port}. A port is between 0 and 65535`);
}

/** Port 0 is a new one each time. */
function* repeatedPort(
  taken: Map<string, Path>,
  address: string,
  path: Path,
): Generator<ShapeProblem, void> {
  if (!/:0+$/.test(address)) yield* repeated(taken, address, path);
}

function* repeated(
  taken: Map<string, Path>,
  what: string,
  path: Path,
): Generator<ShapeProblem, void> {
  const first = taken.get(what);
  if (first !== undefined) yield wrong(path, `is taken by ${nameOf(first)}. Change one of them`);
  taken.set(what, path);
}

function wrong(path: Path, problem: string): ShapeProblem {
  return { path, at: "value", problem: `${nameOf(path)} ${problem}` };
}
