/** What each kind of fault takes. @module */
import {
  delayRule,
  numberRule,
  objectSchema,
  readersOf,
  textRule,
  wordRule,
} from "../key_rules.ts";
import type { JsonSchema, KeyRule, KeyRules } from "../key_rules.ts";
import type { YamlValue } from "../../lib/yaml/yaml_value.ts";
import type { Fault, FaultTrailers, FaultTrigger, FaultType } from "./fault.ts";

const MAX_COUNT = 1_000_000;
/** Above what a test needs, and far below what a process has. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const MAX_CODE = 2 ** 32 - 1;

function countRule(description: string): KeyRule<number> {
  const limits = { min: 1, max: MAX_COUNT, whole: true };
  return numberRule(`a whole number from 1 to ${MAX_COUNT}`, limits, description);
}

function codeRule(description: string, max: number): KeyRule<number> {
  return numberRule(`a whole number from 0 to ${max}`, { min: 0, max, whole: true }, description);
}

const triggers: KeyRules<FaultTrigger> = {
  afterMs: delayRule("Not before this many milliseconds have passed"),
  onCall: countRule("On the n-th call from now"),
  onConnection: countRule("On the n-th connection from now"),
  afterAlerts: countRule("Once this many alerts have been sent"),
  method: wordRule(["sub", "get", "version"], "Only calls of this method count"),
  times: countRule("How often; default 1"),
};

const afterBytes = countRule("On the wire: after so many bytes of the server");
const forMs = delayRule("For how long; for good if left out");

/** How a kind of fault is chosen and what it needs. */
export interface FaultKind {
  /** Its own keys. */
  readonly own: { readonly [key: string]: KeyRule };
  /** Those of them that must be there. */
  readonly required: readonly string[];
  /** The keys of {@linkcode FaultTrigger} that make sense for it. */
  readonly triggers: readonly (keyof FaultTrigger)[];
  /** What it does, for editors. */
  readonly description: string;
}

const onCalls = ["afterMs", "onCall", "afterAlerts", "method", "times"] as const;
const onAnything = [...onCalls, "onConnection"] as const;

/** Every kind, in the order in which messages list them. */
export const faultKinds: { readonly [type in FaultType]: FaultKind } = {
  refuse: kind("Nobody listens", { forMs }, [], onCalls),
  drop: kind("The connection breaks", {}, [], onAnything),
  lose: kind("The next alert is dropped", {}, [], onCalls),
  delay: kind("The next alert waits", { ms: delayRule("For how long") }, ["ms"], onCalls),
  stall: kind("Nothing more is sent", { afterBytes, forMs }, [], onAnything),
  truncate: kind(
    "Half of the next alert, or so many bytes, and no more",
    { afterBytes, then: wordRule(["silence", "close"], "What follows; default close") },
    [],
    onAnything,
  ),
  split: kind(
    "Bytes come a few at a time",
    { bytes: countRule("How many at a time"), everyMs: delayRule("How far apart; default 0") },
    ["bytes"],
    ["onConnection", "times"],
  ),
  reset: kind(
    "RST_STREAM",
    { code: codeRule("The HTTP/2 error code; 8 is CANCEL", MAX_CODE) },
    ["code"],
    onCalls,
  ),
  goaway: kind(
    "GOAWAY",
    {
      code: codeRule("The HTTP/2 error code; 0 is an orderly stop", MAX_CODE),
      text: textRule("Its debug data"),
    },
    ["code"],
    onCalls,
  ),
  status: kind(
    "The call ends with a gRPC status",
    { status: codeRule("The code; 0 is OK", 999), message: textRule("Its grpc-message") },
    ["status"],
    onCalls,
  ),
  trailers: kind(
    "The call ends with these trailers",
    { trailers: trailersRule() },
    ["trailers"],
    onCalls,
  ),
  alter: kind(
    "The next alert is not what it should be",
    {
      to: wordRule([
        "oversized",
        "invalid-utf8",
        "unknown-priority",
        "unknown-field",
        "no-protobuf",
        "compressed",
      ], "What is wrong with it"),
      bytes: numberRule(
        `a whole number from 1 to ${MAX_MESSAGE_BYTES}`,
        { min: 1, max: MAX_MESSAGE_BYTES, whole: true },
        "How long an oversized one is; default 4 MiB and a byte",
      ),
    },
    ["to"],
    onCalls,
  ),
  "zero-window": kind("The client may send no byte on its calls", {}, [], [
    "onConnection",
    "times",
  ]),
  certificate: kind(
    "Certificates that clients refuse",
    { is: wordRule(["expired", "wrong-name", "other-authority"], "What is wrong with them") },
    ["is"],
    [],
  ),
  socket: kind("The socket file is gone", { forMs }, [], onCalls),
  restart: kind(
    "Killed, and started again",
    { downMs: delayRule("How long it is down; default 0") },
    [],
    onCalls,
  ),
};

const types = Object.keys(faultKinds) as FaultType[];
const typeRule = wordRule(types, "The kind of fault");

function kind(
  description: string,
  own: FaultKind["own"],
  required: readonly string[],
  triggers: FaultKind["triggers"],
): FaultKind {
  return { description, own, required, triggers };
}

/** A fault of whatever kind, by its keys. */
interface AnyFault {
  readonly [key: string]: unknown;
}

function rulesOf(type: FaultType): KeyRules<AnyFault> {
  const { own, triggers: allowed } = faultKinds[type];
  return {
    type: typeRule,
    ...own,
    ...Object.fromEntries(allowed.map((key) => [key, triggers[key] as KeyRule])),
  };
}

/** What no single key tells; undefined if all is well. */
function contradictionIn(fault: Fault): string | undefined {
  const { onConnection, onCall, afterAlerts, method } = fault;
  if (onConnection !== undefined && (onCall ?? afterAlerts ?? method) !== undefined) {
    return '"onConnection" goes without "onCall", "afterAlerts" and "method"';
  }
  if ("afterBytes" in fault && (onCall ?? afterAlerts ?? method ?? fault.afterMs) !== undefined) {
    return '"afterBytes" goes with "onConnection" and "times" only';
  }
  if (onConnection !== undefined && fault.type !== "drop" && !isOnWire(fault)) {
    if (fault.type !== "zero-window") return '"onConnection" needs "afterBytes" there';
  }
  const isSudden = ["refuse", "drop", "socket", "restart"].includes(fault.type);
  if (isSudden && fault.times !== undefined) {
    const position = onCall ?? afterAlerts ?? onConnection ?? fault.afterMs;
    if (position === undefined) return '"times" needs something to wait for in between';
  }
  if (method === "version" && afterAlerts !== undefined) return '"version" has no alerts';
  return undefined;
}

/**
 * Whether a fault is one of bytes, which only a wire in front of the server can do.
 *
 * @param fault The fault.
 * @returns True for `refuse`, `split`, and what has `afterBytes`.
 */
export function isOnWire(fault: Fault): boolean {
  return fault.type === "refuse" || fault.type === "split" ||
    "afterBytes" in fault && fault.afterBytes !== undefined;
}

/**
 * Reads a fault from a file.
 *
 * @param value What stands there.
 * @returns The fault.
 * @throws {AlertFormatError} If it is none, with the place.
 */
export function readFault(value: YamlValue): Fault {
  const type = value.member("type");
  if (type === undefined) return value.fail('the fault has no "type"');
  const name = typeRule.read(type);
  const read = value.object<AnyFault>(readersOf(rulesOf(name)), faultKinds[name].required);
  const fault = read as unknown as Fault; // the rules of its kind let nothing else through
  const contradiction = contradictionIn(fault);
  if (contradiction !== undefined) {
    value.fail(`the fault ${JSON.stringify(name)}: ${contradiction}`);
  }
  return fault;
}

/**
 * Looks at a fault that was given in code.
 *
 * @param fault The fault.
 * @throws {TypeError} If it is none.
 */
export function checkFault(fault: Fault): void {
  const { type } = fault;
  const fail = (problem: string): never => {
    throw new TypeError(`Cannot inject the fault ${JSON.stringify(type)}: ${problem}`);
  };
  if (!typeRule.accepts(type)) fail(`"type" must be ${typeRule.expected}`);
  const rules = rulesOf(type);
  for (const [key, value] of Object.entries(fault)) {
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
    if (rule === undefined) fail(`it takes no "${key}". It takes ${Object.keys(rules).join(", ")}`);
    if (value !== undefined && !rule!.accepts(value)) {
      fail(`"${key}" must be ${rule!.expected}: it is ${JSON.stringify(value)}`);
    }
  }
  for (const key of faultKinds[type].required) {
    if ((fault as unknown as AnyFault)[key] === undefined) fail(`it needs "${key}"`);
  }
  const contradiction = contradictionIn(fault);
  if (contradiction !== undefined) fail(contradiction);
}

/**
 * The schema of a fault.
 *
 * @returns One schema a kind; what keys mean together is left to the parser.
 */
export function faultSchema(): JsonSchema {
  return {
    oneOf: types.map((type) => ({
      ...objectSchema<AnyFault>({ ...rulesOf(type), type: constRule(type) }, [
        "type",
        ...faultKinds[type].required,
      ]),
      description: faultKinds[type].description,
    })),
  };
}

function constRule(type: FaultType): KeyRule {
  return { ...typeRule, schema: { const: type } };
}

function trailersRule(): KeyRule<FaultTrailers> {
  const expected = "trailers: lower-case names, and text or a list of texts for each";
  const name = "^[a-z0-9_.-]+$";
  const text = "^[\\t\\x20-\\x7e]*$";
  const isText = (value: unknown) => typeof value === "string" && new RegExp(text).test(value);
  const accepts = (value: unknown): value is FaultTrailers =>
    typeof value === "object" && value !== null && !Array.isArray(value) &&
    Object.entries(value).every(([key, one]) =>
      new RegExp(name).test(key) && (Array.isArray(one) ? one.every(isText) : isText(one))
    );
  const textSchema = { type: "string", pattern: text };
  return {
    expected,
    accepts,
    read: (value) => {
      const record: unknown = value.record();
      return accepts(record) ? record : value.fail(`"trailers" must be ${expected}`);
    },
    schema: {
      type: "object",
      propertyNames: { pattern: name },
      additionalProperties: { oneOf: [textSchema, { type: "array", items: textSchema }] },
      description: "Their names and texts; none, if there are none",
    },
  };
}
