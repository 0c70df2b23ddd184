/** Puts other texts in the place of many at once. @module */

/**
 * How many steps a regular expression may take before it is quicker not to use one: each text could be
 * tried in each place.
 */
const MAX_STEPS = 10_000_000;

/** How many characters the texts may have in all. The automaton takes some 100 bytes for each. */
const MAX_LENGTH = 1_000_000;

/**
 * Puts other texts in the place of texts, wherever they occur, in one go from left to right: nothing is
 * searched in what was put in. Where several begin, the longest is taken.
 *
 * The time is that of all the texts and what is searched, added and not multiplied, whatever they are:
 * both may come from somebody who wants it to take long.
 *
 * @param text What to search.
 * @param replacements What to put in the place of what; no key is empty.
 * @param maxSteps For tests: beyond it there is no expression.
 * @returns The new text; undefined if the texts that could occur have more than a million characters.
 */
export function replaceTexts(
  text: string,
  replacements: ReadonlyMap<string, string>,
  maxSteps: number = MAX_STEPS,
): string | undefined {
  const texts = [...replacements.keys()].filter((one) => one.length <= text.length);
  if (texts.length === 0) return text;
  const length = texts.reduce((sum, one) => sum + one.length, 0);
  if (length > MAX_LENGTH) return undefined;
  if (length * text.length > maxSteps) return replaceFound(text, texts, replacements);
  // Longest first, so that none is cut by a shorter one.
  texts.sort((a, b) => b.length - a.length);
  const pattern = new RegExp(texts.map(escaped).join("|"), "g");
  return text.replace(pattern, (one) => replacements.get(one)!);
}

function replaceFound(
  text: string,
  texts: readonly string[],
  replacements: ReadonlyMap<string, string>,
): string {
  const lengths = longestFrom(text, texts);
  let result = "";
  let from = 0;
  for (let at = 0; at < text.length;) {
    const length = lengths[at]!;
    if (length === 0) {
      at++;
      continue;
    }
    result += text.slice(from, at) + replacements.get(text.slice(at, at + length))!;
    at += length;
    from = at;
  }
  return result + text.slice(from);
}

/**
 * The length of the longest of the texts that begins at each place, 0 where none does. It is the
 * automaton of Aho and Corasick, run from back to front: so it knows where a text begins.
 */
function longestFrom(text: string, texts: readonly string[]): Int32Array {
  // Node 0 is the root. A child is found by the number of its parent and the character.
  const children = new Map<number, number>();
  const childOf = (node: number, code: number) => children.get(node * 65_536 + code);
  const parents = [0];
  const codes = [0];
  const longest = [0];
  for (const one of texts) {
    let node = 0;
    for (let at = one.length - 1; at >= 0; at--) {
      const code = one.charCodeAt(at);
      let child = childOf(node, code);
      if (child === undefined) {
        child = parents.length;
        children.set(node * 65_536 + code, child);
        parents.push(node);
        codes.push(code);
        longest.push(0);
      }
      node = child;
    }
    longest[node] = one.length;
  }
  const fallbacks = new Int32Array(parents.length);
  const next = (from: number, code: number): number => {
    let node = from;
    for (;;) {
      const child = childOf(node, code);
      if (child !== undefined) return child;
      if (node === 0) return 0;
      node = fallbacks[node]!;
    }
  };
  for (const node of byDepth(parents)) {
    const parent = parents[node]!;
    if (parent !== 0) fallbacks[node] = next(fallbacks[parent]!, codes[node]!);
    // The text that ends in the node itself is longer than those that end in its fallback.
    longest[node] ||= longest[fallbacks[node]!]!;
  }

  const lengths = new Int32Array(text.length);
  let node = 0;
  for (let at = text.length - 1; at >= 0; at--) {
    node = next(node, text.charCodeAt(at));
    lengths[at] = longest[node]!;
  }
  return lengths;
}

/** The nodes without the root, those with fewer nodes above them first. */
function byDepth(parents: readonly number[]): Uint32Array {
  const depths = new Uint32Array(parents.length);
  // A parent always comes before its children.
  for (let node = 1; node < parents.length; node++) depths[node] = depths[parents[node]!]! + 1;
  return Uint32Array.from({ length: parents.length - 1 }, (_, index) => index + 1)
    .sort((a, b) => depths[a]! - depths[b]!);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
