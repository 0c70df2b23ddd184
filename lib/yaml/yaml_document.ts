/** A YAML text while it is read: its places, and what its aliases stand for. @module */
import { isAlias, isMap, isPair, isScalar, isSeq, parseDocument } from "yaml";
import type { Alias, Node } from "yaml";
import { lineAndColumn } from "../alert/parse_json.ts";
import { AlertFormatError } from "../errors.ts";
import { findYamlProblem, quote } from "./yaml_problem.ts";

/**
 * How many values the aliases of a file may stand for. A dozen lines of aliases to aliases stand for
 * billions; a scenario of 10,000 alerts that share their fields stands for some 300,000.
 */
const MAX_ALIASED = 1_000_000;
/** How deep lists and mappings may be nested, aliases followed: bounds the recursion of all readers. */
const MAX_DEPTH = 100;

/** How large a value is, aliases followed. */
interface Extent {
  readonly values: number;
  readonly depth: number;
}

/** A parsed text of which nothing has been taken for granted but that it is YAML of a sane size. */
export class YamlDocument {
  /** What the text holds. */
  readonly root: Node;
  readonly #text: string;
  readonly #subject: string;
  readonly #targets = new Map<Alias, Node>();
  readonly #anchors = new Map<string, Node>();
  readonly #extents = new Map<Node, Extent>();
  #aliased = 0;
  /** Where each line starts; found when first asked for. */
  #lines: readonly number[] | undefined;

  /**
   * @param text The text; a byte order mark at its start is skipped.
   * @param subject What it is, for messages.
   * @throws {AlertFormatError} If it is empty, no YAML, has aliases to nothing or for too much, or is
   * nested too deeply.
   */
  constructor(text: string, subject: string) {
    // Editors do not count the mark as a column.
    this.#text = text.startsWith("\ufeff") ? text.slice(1) : text;
    this.#subject = subject;
    const document = parseDocument(this.#text, {
      version: "1.2",
      // Said as well, because a file may ask for YAML 1.1, where `no` is false and 010 is 8.
      schema: "core",
      resolveKnownTags: false,
      stringKeys: true,
      // The library compares every key with every other; `YamlValue` does it in one pass.
      uniqueKeys: false,
      intAsBigInt: true,
      prettyErrors: false,
    });
    const found = findYamlProblem(document, this.#text);
    if (found !== undefined) this.#failAt(found.offset, found.problem, found.cause);
    const { contents } = document;
    if (contents === null || (isScalar(contents) && contents.value === null && !contents.source)) {
      this.#failAt(0, "the file is empty");
    }
    this.root = contents;
    this.#measure(contents, 0);
  }

  /**
   * Follows an alias.
   *
   * @param node Any node of this document.
   * @returns What it stands for; itself if it is no alias.
   */
  follow(node: Node): Node {
    return isAlias(node) ? this.#targets.get(node) ?? node : node;
  }

  /**
   * Complains about a node.
   *
   * @param node The node.
   * @param problem What is wrong, without the place.
   * @throws {AlertFormatError} Always, with the line and column of the node.
   */
  fail(node: Node, problem: string): never {
    this.#failAt(node.range?.[0] ?? 0, problem);
  }

  /**
   * Says where a node is.
   *
   * @param node The node.
   * @returns Its line and column, from 1.
   */
  placeOf(node: Node): { line: number; column: number } {
    const offset = node.range?.[0] ?? 0;
    const lines = this.#lines ??= lineStarts(this.#text);
    // For whoever asks of every node; a search from the start each time would be quadratic.
    let [from, to] = [0, lines.length];
    while (to - from > 1) {
      const middle = (from + to) >> 1;
      if (lines[middle]! <= offset) from = middle;
      else to = middle;
    }
    return { line: from + 1, column: offset - lines[from]! + 1 };
  }

  #failAt(offset: number, problem: string, cause?: unknown): never {
    throw new AlertFormatError(`Cannot read the ${this.#subject}: ${problem}`, {
      ...lineAndColumn(this.#text, offset),
      cause,
    });
  }

  /** Resolves the aliases in a node, in the order of the text, and refuses what would be too large. */
  #measure(node: Node, above: number): Extent {
    if (isAlias(node)) return this.#measureAlias(node, above);
    this.#checkDepth(node, above + 1);
    if ("anchor" in node && node.anchor) this.#anchors.set(node.anchor, node);
    let values = 1;
    let depth = 1;
    const parts = isMap(node) || isSeq(node) ? node.items : [];
    for (const part of parts.flatMap((part) => isPair(part) ? [part.key, part.value] : [part])) {
      if (part === null) continue; // a key without a value
      const extent = this.#measure(part as Node, above + 1);
      values += extent.values;
      depth = Math.max(depth, extent.depth + 1);
    }
    const extent = { values, depth };
    this.#extents.set(node, extent);
    return extent;
  }

  #measureAlias(alias: Alias, above: number): Extent {
    const name = quote(alias.source);
    const target = this.#anchors.get(alias.source);
    if (target === undefined) {
      return this.fail(alias, `the alias ${name} has no anchor of that name before it`);
    }
    const extent = this.#extents.get(target);
    // Its anchor belongs to a value that it is itself a part of.
    if (extent === undefined) return this.fail(alias, `the alias ${name} stands for itself`);
    this.#aliased += extent.values;
    if (this.#aliased > MAX_ALIASED) {
      this.fail(alias, `its aliases stand for more than ${MAX_ALIASED} values`);
    }
    this.#checkDepth(alias, above + extent.depth);
    this.#targets.set(alias, target);
    return extent;
  }

  #checkDepth(node: Node, depth: number): void {
    if (depth > MAX_DEPTH) this.fail(node, `it is nested more than ${MAX_DEPTH} levels deep`);
  }
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}
