/** A configuration file as yaml-cpp sees it: scalars are text, whatever they look like. @module */
import { isMap, isPair, isScalar, isSeq } from "yaml";
import type { Node } from "yaml";
import { AlertFormatError } from "../../lib/errors.ts";
import { YamlDocument } from "../../lib/yaml/yaml_document.ts";
import { FalcoConfigError } from "./config_error.ts";
import type { ConfigPlace } from "./config_error.ts";
import { expandVariables } from "./expand_variables.ts";
import type { ReadVariable } from "./expand_variables.ts";

/** A value in a configuration file. */
export type ConfigNode =
  | ConfigMap
  | { readonly kind: "list"; readonly place: ConfigPlace; readonly items: readonly ConfigNode[] }
  | { readonly kind: "text"; readonly place: ConfigPlace; readonly text: string }
  | { readonly kind: "empty"; readonly place: ConfigPlace };

/** A mapping; of two entries of the same key the first counts. */
export interface ConfigMap {
  readonly kind: "map";
  readonly place: ConfigPlace;
  readonly entries: readonly ConfigEntry[];
}

/** One key of a mapping. */
export interface ConfigEntry {
  readonly key: string;
  /** Where the key is. */
  readonly place: ConfigPlace;
  readonly value: ConfigNode;
}

/**
 * Reads a configuration file.
 *
 * @param text The file.
 * @param file Its name, for messages.
 * @param readVariable Looks up what stands in `${}`.
 * @returns Its mapping; one without entries if the file is empty.
 * @throws {FalcoConfigError} If it is no YAML, no mapping, too deeply nested, or has aliases for too
 * much.
 */
export function readConfigFile(
  text: string,
  file: string,
  readVariable: ReadVariable,
): ConfigMap {
  const start = { file, line: 1, column: 1 };
  // yaml-cpp reads a file of comments as nothing at all.
  if (/^\ufeff?(?:[ \t]*(?:#[^\n]*)?\r?(?:\n|$))*$/.test(text)) {
    return { kind: "map", place: start, entries: [] };
  }
  let document: YamlDocument;
  try {
    document = new YamlDocument(text, "configuration");
  } catch (error) {
    if (!(error instanceof AlertFormatError)) throw error;
    const { line, column, message } = error;
    throw new FalcoConfigError({ file, line, column }, message, error);
  }
  const root = new Converter(document, file, readVariable).convert(document.root);
  if (root.kind === "empty") return { kind: "map", place: start, entries: [] };
  if (root.kind !== "map") {
    throw new FalcoConfigError(
      root.place,
      'Cannot read the configuration: it is no mapping. Write lines such as "json_output: true"',
    );
  }
  return root;
}

/** Makes our nodes of the YAML library's; a value that several aliases stand for is made once. */
class Converter {
  readonly #document: YamlDocument;
  readonly #file: string;
  readonly #readVariable: ReadVariable;
  readonly #done = new Map<Node, ConfigNode>();

  constructor(document: YamlDocument, file: string, readVariable: ReadVariable) {
    this.#document = document;
    this.#file = file;
    this.#readVariable = readVariable;
  }

  convert(written: Node): ConfigNode {
    const node = this.#document.follow(written);
    const done = this.#done.get(node);
    if (done !== undefined) return done;
    const converted = this.#convert(node);
    this.#done.set(node, converted);
    return converted;
  }

  #convert(node: Node): ConfigNode {
    const place = this.#placeOf(node);
    if (isSeq(node)) {
      const items = node.items.map((item) => this.#convertPart(item, place));
      return { kind: "list", place, items };
    }
    if (isMap(node)) {
      const entries = node.items.map((pair): ConfigEntry => {
        const key = pair.key as Node;
        const at = this.#placeOf(key);
        const name = isScalar(key) ? String(key.value) : "";
        return { key: name, place: at, value: this.#convertPart(pair.value, at) };
      });
      return { kind: "map", place, entries };
    }
    if (!isScalar(node) || node.value === null) return { kind: "empty", place };
    const text = typeof node.value === "string" ? node.value : node.source ?? String(node.value);
    return { kind: "text", place, text: expandVariables(text, this.#readVariable) };
  }

  #convertPart(part: unknown, place: ConfigPlace): ConfigNode {
    // `- a: 1` between brackets is a pair of its own.
    if (part === null || part === undefined || isPair(part)) return { kind: "empty", place };
    return this.convert(part as Node);
  }

  #placeOf(node: Node): ConfigPlace {
    return { file: this.#file, ...this.#document.placeOf(node) };
  }
}
