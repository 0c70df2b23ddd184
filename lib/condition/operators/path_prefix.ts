/** `pmatch`: is a path one of these, or below one of them? @module */
import type { TextTest } from "../values.ts";
import { makeGlob } from "./glob.ts";

/** The paths that begin with the same components. */
interface Node {
  /** Below a component by its name. */
  readonly names: Map<string, Node>;
  /** Below a component that fits a pattern. */
  readonly patterns: Map<string, { readonly test: TextTest; readonly node: Node }>;
  /** A path ends here: all that is below it matches. */
  isEnd: boolean;
}

/**
 * Makes a test of paths. Components are compared whole; empty ones do not count, so slashes may be
 * doubled or missing at the ends; `.` and `..` are names. A component with `*`, `?` or `[` is a
 * pattern as in `glob`.
 *
 * The time is bounded by the number of patterns for each component of the text, never by what they
 * could match together.
 *
 * @param paths The paths. One without components, such as `/`, covers everything.
 * @returns The test.
 */
export function makePathPrefix(paths: readonly string[]): TextTest {
  const root = newNode();
  for (const path of paths) addPath(root, path);
  return (text) => covers(root, text);
}

function newNode(): Node {
  return { names: new Map(), patterns: new Map(), isEnd: false };
}

function addPath(root: Node, path: string): void {
  let node = root;
  for (const name of path.split("/")) {
    if (name !== "") {
      node = /[*?[]/.test(name) ? childByPattern(node, name) : childByName(node, name);
    }
  }
  node.isEnd = true;
}

function childByName(node: Node, name: string): Node {
  const known = node.names.get(name);
  if (known !== undefined) return known;
  const child = newNode();
  node.names.set(name, child);
  return child;
}

function childByPattern(node: Node, pattern: string): Node {
  const known = node.patterns.get(pattern);
  if (known !== undefined) return known.node;
  const child = newNode();
  node.patterns.set(pattern, { test: makeGlob(pattern, false), node: child });
  return child;
}

function covers(root: Node, text: string): boolean {
  if (root.isEnd) return true;
  let nodes = [root];
  for (let start = 0; start <= text.length && nodes.length > 0;) {
    const slash = text.indexOf("/", start);
    const end = slash < 0 ? text.length : slash;
    if (end > start) {
      const name = text.slice(start, end);
      const next: Node[] = [];
      // No node comes twice: each has one parent.
      for (const node of nodes) {
        const child = node.names.get(name);
        if (child !== undefined) next.push(child);
        for (const { test, node: below } of node.patterns.values()) {
          if (test(name)) next.push(below);
        }
      }
      if (next.some((node) => node.isEnd)) return true;
      nodes = next;
    }
    start = end + 1;
  }
  return false;
}
