/** The published schema of `gateway.yaml`: that it accepts and refuses what the parser does. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { checkGatewayConfig, gatewaySchema, parseGatewayConfig } from "../gateway/mod.ts";
import type { GatewayConfig } from "../gateway/mod.ts";
import { full, least } from "./gateway_yaml.ts";

const schemaFile = new URL("../gateway/gateway.schema.json", import.meta.url);

describe("gateway.schema.json", () => {
  const schema = JSON.parse(readFileSync(schemaFile, "utf8")) as Schema;

  it("is what the parser's own description comes to", () => {
    assert.deepEqual(schema, gatewaySchema());
  });

  it("accepts what the parser accepts", () => {
    assert.deepEqual(violations(parseGatewayConfig(full), schema), []);
    assert.deepEqual(violations(parseGatewayConfig(least), schema), []);
  });

  it("and the parser agree on every single change of a right configuration", () => {
    const config = JSON.parse(JSON.stringify(parseGatewayConfig(full)));
    let changes = 0;
    let refused = 0;
    for (const changed of mutations(config)) {
      changes++;
      const bySchema = violations(changed, schema).length > 0;
      let problem = "";
      try {
        checkGatewayConfig(changed as GatewayConfig);
      } catch (error) {
        problem = (error as Error).message;
      }
      // What a schema cannot say: what the values mean together.
      const ofMeaning =
        / is no |would |which needs|there is no TLS|goes with|is taken|names port|beside/;
      const byParser = problem !== "" && !ofMeaning.test(problem);
      assert.equal(bySchema, byParser, `${problem}\n${JSON.stringify(changed)}`);
      if (byParser) refused++;
    }
    assert(changes > 400 && refused > 300, `${refused} of ${changes}`);
  });
});

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean;
  readonly oneOf?: readonly Schema[];
}

/** As much of JSON Schema as the file uses, by the book. */
function violations(value: unknown, schema: Schema): string[] {
  const found: string[] = [];
  const type = Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
  const isType = schema.type === undefined || schema.type === type ||
    schema.type === "integer" && Number.isInteger(value);
  if (!isType) found.push(`${type} is no ${schema.type}`);
  if (schema.enum !== undefined && !schema.enum.includes(value)) found.push("enum");
  if (typeof value === "string") {
    if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) {
      found.push("pattern");
    }
    if (value.length < (schema.minLength ?? 0)) found.push("minLength");
    if (value.length > (schema.maxLength ?? Infinity)) found.push("maxLength");
  }
  if (typeof value === "number") {
    if (value < (schema.minimum ?? -Infinity)) found.push("minimum");
    if (value > (schema.maximum ?? Infinity)) found.push("maximum");
  }
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) found.push("minItems");
    if (schema.items !== undefined) {
      found.push(...value.flatMap((item) => violations(item, schema.items!)));
    }
  } else if (typeof value === "object" && value !== null && schema.oneOf === undefined) {
    const { properties = {}, required = [], additionalProperties = true } = schema;
    found.push(...required.filter((key) => !Object.hasOwn(value, key)));
    for (const [key, one] of Object.entries(value)) {
      const known = Object.hasOwn(properties, key);
      if (known) found.push(...violations(one, properties[key]!));
      else if (!additionalProperties) found.push(key);
    }
  }
  if (schema.oneOf !== undefined) {
    const fits = schema.oneOf.filter((one) => violations(value, one).length === 0);
    if (fits.length !== 1) found.push("oneOf");
  }
  return found;
}

/** Every value replaced by each of some others, every key removed, and a key added everywhere. */
function* mutations(value: unknown): Generator<unknown> {
  for (const other of [null, true, 7, -1, 1.5, 1e12, "", "x", "unix:///x", [], {}]) yield other;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const one of mutations(item)) yield value.with(index, one);
    }
  } else if (typeof value === "object" && value !== null) {
    yield { ...value, surprise: 1 };
    for (const [key, item] of Object.entries(value)) {
      const { [key]: _, ...rest } = value as Record<string, unknown>;
      yield rest;
      for (const one of mutations(item)) yield { ...value, [key]: one };
    }
  }
}
