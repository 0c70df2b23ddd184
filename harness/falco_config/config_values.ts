/** Scalars as yaml-cpp converts them, and keys as Falco looks them up. @module */
import { FalcoConfigError } from "./config_error.ts";
import type { ConfigPlace } from "./config_error.ts";
import type { ConfigMap, ConfigNode } from "./config_node.ts";

const truths: readonly (readonly [yes: string, no: string])[] = [
  ["y", "n"],
  ["yes", "no"],
  ["true", "false"],
  ["on", "off"],
];

/**
 * Reads a boolean: `y`, `yes`, `true`, `on` and their opposites in lower case, capitals, or with a
 * capital first; in quotes as well.
 *
 * @param text The scalar.
 * @returns The boolean, or undefined if it is none.
 */
export function toBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  if (
    ![lower, lower.toUpperCase(), lower.charAt(0).toUpperCase() + lower.slice(1)].includes(text)
  ) {
    return undefined;
  }
  const pair = truths.find((pair) => pair.includes(lower));
  return pair === undefined ? undefined : lower === pair[0];
}

/**
 * Reads an integer from 0 on: decimal, `0x` hexadecimal, or octal with a leading 0, as C++ streams do.
 *
 * @param text The scalar.
 * @param max The largest that fits.
 * @returns The integer, or undefined if it is none.
 */
export function toUnsigned(text: string, max: number): number | undefined {
  const [, hex, octal, decimal] = /^\+?(?:0x([0-9a-f]+)|0([0-7]+)|(0|[1-9]\d*))$/i.exec(text) ?? [];
  const number = hex !== undefined
    ? parseInt(hex, 16)
    : octal !== undefined
    ? parseInt(octal, 8)
    : decimal === undefined
    ? NaN
    : Number(decimal);
  return number <= max ? number : undefined;
}

/** Looks up keys such as `grpc.threadiness`; what is not as it should be reads as not there. */
export class ConfigReader {
  readonly #root: ConfigMap;

  /** @param root The configuration. */
  constructor(root: ConfigMap) {
    this.#root = root;
  }

  /**
   * Looks up a key.
   *
   * @param path Names joined by dots.
   * @returns Its value, or undefined if there is none.
   * @throws {FalcoConfigError} If one of the names but the last stands for text, where Falco stops.
   */
  find(path: string): ConfigNode | undefined {
    let node: ConfigNode | undefined = this.#root;
    for (const name of path.split(".")) {
      if (node?.kind === "text") {
        throw new FalcoConfigError(
          node.place,
          `Config error at key "${path}": operator[] call on a scalar. ` +
            "Write its keys below it, indented",
        );
      }
      if (node?.kind !== "map") return undefined;
      node = node.entries.find(({ key }) => key === name)?.value;
    }
    return node;
  }

  /** Where a key's value is; the start of the file if there is none. */
  placeOf(path: string): ConfigPlace {
    return this.find(path)?.place ?? this.#root.place;
  }

  /** Text, or the default. */
  text(path: string, missing: string): string {
    const node = this.find(path);
    return node?.kind === "text" ? node.text : missing;
  }

  /** A boolean, or the default. */
  boolean(path: string, missing: boolean): boolean {
    const node = this.find(path);
    return (node?.kind === "text" ? toBoolean(node.text) : undefined) ?? missing;
  }

  /** An integer from 0 to `max`, or the default. */
  unsigned(path: string, missing: number, max: number): number {
    const node = this.find(path);
    return (node?.kind === "text" ? toUnsigned(node.text, max) : undefined) ?? missing;
  }

  /** The texts of a list; a single text counts as a list of one. */
  texts(path: string): readonly string[] {
    const node = this.find(path);
    if (node?.kind === "text") return [node.text];
    if (node?.kind !== "list") return [];
    return node.items.flatMap((item) => item.kind === "text" ? [item.text] : []);
  }
}
