/** Typed values out of YAML files, with a place for every complaint. @module */
import { isMap, isScalar, isSeq, Scalar } from "yaml";
import type { Node } from "yaml";
import type { FieldValue } from "../alert/alert.ts";
import { YamlDocument } from "./yaml_document.ts";
import { describeUnknownKey, quote, shorten } from "./yaml_problem.ts";

/** How to read each key of a mapping, in the order in which messages list them. */
export type YamlReaders<T> = {
  readonly [K in keyof T]-?: (value: YamlValue) => Exclude<T[K], undefined>;
};

/** One key of a mapping. */
interface Member {
  readonly key: string;
  readonly at: Node;
  readonly value: YamlValue;
}

/**
 * Reads a text of one YAML 1.2 document, without merge keys and without tags beyond YAML's core.
 *
 * Deno: the parser looks at two variables, so `--allow-env=LOG_TOKENS,LOG_STREAM`, or
 * `--ignore-env` of the same.
 *
 * @param text The text.
 * @param subject What it is, for messages: `scenario`.
 * @returns The value it holds.
 * @throws {AlertFormatError} If it is empty, no YAML, nested more than 100 levels deep, or has
 * aliases to nothing or for more than a million values; with line and column.
 */
export function readYaml(text: string, subject: string): YamlValue {
  const document = new YamlDocument(text, subject);
  return new YamlValue(document, document.root, "it");
}

/** A value in a YAML file. Whatever it does throws `AlertFormatError` if it is not what it should be. */
export class YamlValue {
  readonly #document: YamlDocument;
  /** As it stands in the file; may be an alias. */
  readonly #written: Node;
  /** What it is, aliases followed. */
  readonly #node: Node;
  readonly #label: string;

  /**
   * @param document Where it is.
   * @param node Its node.
   * @param label What messages call it.
   */
  constructor(document: YamlDocument, node: Node, label: string) {
    this.#document = document;
    this.#written = node;
    this.#node = document.follow(node);
    this.#label = label;
  }

  /**
   * Complains about this value.
   *
   * @param problem What is wrong, without the place.
   * @throws {AlertFormatError} Always, with its line and column.
   */
  fail(problem: string): never {
    this.#document.fail(this.#written, problem);
  }

  /**
   * Complains about a value somewhere within this one, for whoever looked at {@linkcode data}.
   *
   * @param path The keys and, in lists, the places from 0 that lead there. What of it is not in the
   * file, such as a missing key, leads no further.
   * @param problem What is wrong, without the place.
   * @param at Whether it is the key or its value that is wrong.
   * @throws {AlertFormatError} Always, with the line and column of it.
   */
  failAt(path: readonly (string | number)[], problem: string, at: "key" | "value"): never {
    const [step, ...rest] = path;
    if (isSeq(this.#node)) {
      const item = this.#node.items[Number(step)];
      if (item !== undefined) {
        new YamlValue(this.#document, item as Node, "").failAt(rest, problem, at);
      }
    } else if (isMap(this.#node)) {
      const member = this.#members().find(({ key }) => key === step);
      if (member !== undefined && rest.length === 0 && at === "key") {
        this.#document.fail(member.at, problem);
      }
      if (member !== undefined) member.value.failAt(rest, problem, at);
    }
    this.fail(problem);
  }

  /**
   * Reads text.
   *
   * @param expected What it must be, for the message.
   * @param accepts Whether the text is that.
   * @returns The text.
   */
  text(expected: string = "text", accepts: (text: string) => boolean = () => true): string {
    const value = this.#scalar();
    if (typeof value === "string" && accepts(value)) return value;
    // Such as `hostname: 007`, which YAML takes for a number.
    const needsQuotes = expected === "text" && value !== null && value !== undefined;
    return this.#failAs(expected, needsQuotes ? ". Put it in quotes" : "");
  }

  /**
   * Reads a number.
   *
   * @param expected What it must be, for the message.
   * @param accepts Whether the number is that; it gets integers past 2^53 rounded.
   * @returns The number.
   */
  number(expected: string, accepts: (number: number) => boolean): number {
    const value = this.#scalar();
    const number = typeof value === "bigint" ? Number(value) : value;
    return typeof number === "number" && accepts(number) ? number : this.#failAs(expected);
  }

  /**
   * Reads a list.
   *
   * @param name What messages call an item; its number, from 1, is added.
   * @param read Reads an item.
   * @returns What `read` returned, in order.
   */
  list<T>(name: string, read: (item: YamlValue) => T): T[] {
    if (!isSeq(this.#node)) return this.#failAs("a list");
    return this.#node.items.map((item, index) =>
      read(new YamlValue(this.#document, item as Node, `${name} ${index + 1}`))
    );
  }

  /**
   * Reads a mapping of known keys, in the order in which they stand in the file.
   *
   * @param readers Reads the value of each key.
   * @param required The keys that must be there.
   * @returns What the readers returned, by key.
   */
  object<T extends object>(readers: YamlReaders<T>, required: readonly (keyof T & string)[]): T {
    const known: { readonly [key: string]: (value: YamlValue) => unknown } = readers;
    const result: { [key: string]: unknown } = {};
    for (const { key, at, value } of this.#members()) {
      if (!Object.hasOwn(known, key)) {
        this.#document.fail(at, describeUnknownKey(key, Object.keys(known)));
      }
      result[key] = known[key]!(value);
    }
    for (const key of required) {
      if (!Object.hasOwn(result, key)) this.fail(`${this.#label} has no ${quote(key)}`);
    }
    return result as T;
  }

  /**
   * Looks at one key of a mapping ahead of the others.
   *
   * @param key The key.
   * @returns Its value, or undefined if it is not there.
   */
  member(key: string): YamlValue | undefined {
    return this.#members().find((member) => member.key === key)?.value;
  }

  /**
   * Reads a mapping of any keys and values.
   *
   * @returns An object of its own; a key `__proto__` is an ordinary property.
   */
  record(): { [key: string]: FieldValue } {
    const object: { [key: string]: FieldValue } = {};
    for (const { key, value } of this.#members()) {
      // Not by assignment, which would take `__proto__` for the prototype.
      Object.defineProperty(object, key, {
        value: value.data(),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return object;
  }

  /**
   * Reads a value of any type.
   *
   * @returns Text, a boolean, null, a finite number, a `bigint` for an integer past 2^53, an array,
   * or an object.
   */
  data(): FieldValue {
    if (isMap(this.#node)) return this.record();
    if (isSeq(this.#node)) return this.list(`${this.#label} item`, (item) => item.data());
    const value = this.#scalar();
    if (typeof value === "number" && !Number.isFinite(value)) {
      return this.#failAs("a finite number");
    }
    return value as FieldValue; // the core schema has no other scalars
  }

  #members(): readonly Member[] {
    if (!isMap(this.#node)) return this.#failAs("a mapping");
    const seen = new Set<string>();
    return this.#node.items.map((pair) => {
      const at = pair.key as Node;
      const key = isScalar(at) ? String(at.value) : "";
      if (seen.has(key)) this.#document.fail(at, `duplicate key ${quote(key)}`);
      seen.add(key);
      const node = pair.value as Node | null ?? emptyAt(at);
      return { key, at, value: new YamlValue(this.#document, node, quote(key)) };
    });
  }

  /** The scalar it is; undefined for lists and mappings. */
  #scalar(): unknown {
    if (!isScalar(this.#node)) return undefined;
    const { value, source } = this.#node;
    if (typeof value !== "bigint") return value;
    // From the source, because no bigint is -0.
    const number = Number(source ?? value);
    return Number.isSafeInteger(number) ? number : value;
  }

  #failAs(expected: string, remedy = ""): never {
    this.fail(`${this.#label} must be ${expected}: it is ${this.#shown()}${remedy}`);
  }

  #shown(): string {
    if (isMap(this.#node)) return "a mapping";
    if (isSeq(this.#node)) return "a list";
    const { value = null, source } = isScalar(this.#node) ? this.#node : {};
    if (typeof value === "string") return quote(value);
    return value === null ? "empty" : shorten(source ?? String(value));
  }
}

/** The value of a key that has none, as in `{ name }`; it counts as being where the key is. */
function emptyAt(key: Node): Node {
  const empty = new Scalar(null);
  if (key.range) empty.range = key.range;
  return empty;
}
