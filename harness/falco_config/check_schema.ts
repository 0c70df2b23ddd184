/** What Falco's schema validation complains about, with places. @module */
import { describeUnknownKey, quote } from "../../lib/yaml/yaml_problem.ts";
import type { ConfigPlace, FalcoConfigWarning } from "./config_error.ts";
import type { ConfigMap, ConfigNode } from "./config_node.ts";
import type { SchemaKeys, SchemaType } from "./config_schema.ts";
import { toBoolean } from "./config_values.ts";

/** The keys of Falco's certificates, which its schema forgets and its code reads. */
const forgotten = ["cert_chain", "private_key", "root_certs"];

const expectations = {
  boolean: "true or false",
  integer: "a whole number",
  number: "a number",
  string: "text",
  list: "a list",
} as const;

/**
 * Checks a file against the keys that a Falco knows. Falco only warns of what it finds, and goes on.
 *
 * @param root The file.
 * @param keys The keys.
 * @returns The warnings, in the order of the file.
 */
export function checkSchema(root: ConfigMap, keys: SchemaKeys): readonly FalcoConfigWarning[] {
  const warnings: FalcoConfigWarning[] = [];
  const warn = (place: ConfigPlace, problem: string, schema?: string): void => {
    const { file, line, column } = place;
    const message = `${file}:${line}:${column}: ${problem}`;
    warnings.push({ file, line, column, message, ...(schema === undefined ? {} : { schema }) });
  };
  const checkMap = (map: ConfigMap, known: SchemaKeys, path: string): void => {
    const seen = new Set<string>();
    for (const { key, place, value } of map.entries) {
      if (seen.has(key)) {
        warn(place, `duplicate key ${quote(key)}. Falco takes the first one`);
        continue;
      }
      seen.add(key);
      if (Object.hasOwn(known, key)) {
        check(value, known[key]!, key, `${path}[${key}]`);
        continue;
      }
      const isForgotten = path === "<root>[grpc]" && forgotten.includes(key);
      warn(
        place,
        isForgotten
          ? `the schema of Falco does not know ${quote(key)}, but Falco uses it`
          : describeUnknown(key, Object.keys(known)),
        `failed for ${path}: Object contains a property that could not be validated using ` +
          `'properties' or 'additionalProperties' constraints: '${key}'.`,
      );
    }
  };
  const check = (value: ConfigNode, type: SchemaType, key: string, path: string): void => {
    if (typeof type !== "string") {
      if (value.kind === "map") return checkMap(value, type, path);
    } else if (type === "any" || accepts(type, value)) return;
    const expected = typeof type === "string"
      ? expectations[type as keyof typeof expectations]
      : "a mapping";
    warn(
      value.place,
      `${quote(key)} must be ${expected}: it is ${shown(value)}${outcome(type, value)}`,
      `failed for ${path}: Value type not permitted by 'type' constraint.`,
    );
  };
  checkMap(root, keys, "<root>");
  return warnings;
}

function describeUnknown(key: string, known: readonly string[]): string {
  const text = describeUnknownKey(key, known);
  // Of all the keys of a falco.yaml nobody would read the list.
  const short = known.length > 16 ? text.replace(/\.? Allowed are [^]*$/, "") : text;
  return `${short}${short.endsWith("?") ? "" : "."} Falco ignores it`;
}

function accepts(type: SchemaType, value: ConfigNode): boolean {
  if (type === "list") return value.kind === "list";
  if (value.kind !== "text") return false;
  switch (type) {
    case "boolean":
      return value.text === "true" || value.text === "false";
    case "integer":
      return /^[-+]?\d+$/.test(value.text);
    case "number":
      return value.text.trim() !== "" && Number.isFinite(Number(value.text));
    default:
      return true;
  }
}

/** What becomes of it. */
function outcome(type: SchemaType, value: ConfigNode): string {
  const boolean = type === "boolean" && value.kind === "text" ? toBoolean(value.text) : undefined;
  if (boolean !== undefined) return `. Falco takes ${boolean} all the same`;
  // The default is an empty list, and a single value is taken for a list of one.
  if (type === "list") return "";
  return ". Falco takes its default";
}

function shown(value: ConfigNode): string {
  switch (value.kind) {
    case "map":
      return "a mapping";
    case "list":
      return "a list";
    case "empty":
      return "empty";
    case "text":
      return quote(value.text);
  }
}
