import assert from "node:assert/strict";
import { memoryUsage } from "node:process";
import { describe, it } from "node:test";
import fc from "fast-check";
import { LineSplitter } from "../lib/sources/line_splitter.ts";

interface Line {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly tooLong: boolean;
}

/** All lines of some chunks. */
function split(chunks: readonly (string | Uint8Array)[], max = 1000, offset = 0): Line[] {
  const lines: Line[] = [];
  const splitter = new LineSplitter(max, offset);
  const take = ({ bytes, ...place }: { bytes: Uint8Array } & Omit<Line, "text">) =>
    lines.push({ text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), ...place });
  // One buffer for all chunks, as a reader of files has it.
  const buffer = new Uint8Array(4096);
  for (const chunk of chunks) {
    const bytes = typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
    buffer.set(bytes);
    splitter.push(buffer.subarray(0, bytes.length), take);
  }
  splitter.end(take);
  return lines;
}

const texts = (lines: readonly Line[]): string[] => lines.map(({ text }) => text);

describe("LineSplitter", () => {
  it("cuts at both kinds of line breaks, and keeps a last line without one", () => {
    assert.deepEqual(texts(split(["a\nb\r\n\nc"])), ["a", "b", "", "c"]);
    assert.deepEqual(texts(split(["a\n"])), ["a"]);
    assert.deepEqual(texts(split([])), []);
    assert.deepEqual(texts(split(["a\u2028b\n"])), ["a\u2028b"]);
  });

  it("says where each line stood", () => {
    assert.deepEqual(split(["é\r\nb", "c\nd"], 1000, 100), [
      { text: "é", start: 100, end: 104, tooLong: false },
      { text: "bc", start: 104, end: 107, tooLong: false },
      { text: "d", start: 107, end: 108, tooLong: false },
    ]);
  });

  it("drops a byte order mark at the beginning of the file alone", () => {
    assert.deepEqual(texts(split(["\uFEFFa\n\uFEFFb\n"])), ["a", "\uFEFFb"]);
    assert.deepEqual(texts(split(["\uFEFFa\n"], 1000, 5)), ["\uFEFFa"]);
  });

  it("skips a line that is too long, however it comes, and goes on behind it", () => {
    for (const chunks of [["ab\nlonger\ncd"], ["ab\nlon", "ger\nc", "d"], [..."ab\nlonger\ncd"]]) {
      assert.deepEqual(split(chunks, 5), [
        { text: "ab", start: 0, end: 3, tooLong: false },
        { text: "", start: 3, end: 10, tooLong: true },
        { text: "cd", start: 10, end: 12, tooLong: false },
      ]);
    }
    assert.deepEqual(split(["long", "er"], 5), [{ text: "", start: 0, end: 6, tooLong: true }]);
    assert.deepEqual(texts(split(["exact\n"], 5)), ["exact"]);
  });

  it("holds no more of a line without end than the limit", () => {
    const splitter = new LineSplitter(1000);
    const chunk = new Uint8Array(1024 * 1024).fill(0x61);
    const before = memoryUsage().rss;
    for (let count = 0; count < 512; count++) splitter.push(chunk, () => assert.fail("a line"));
    const grown = memoryUsage().rss - before;
    assert(grown < 256 * 1024 * 1024, `${grown} bytes for a line of 512 MiB`);
    const lines: boolean[] = [];
    splitter.end(({ tooLong }) => lines.push(tooLong));
    assert.deepEqual(lines, [true]);
  });

  it("gives the same lines however the bytes are split", () => {
    const bytes = fc.array(fc.constantFrom("a", "é", "\n", "\r", "🦅"), { maxLength: 40 })
      .map((parts) => new TextEncoder().encode(parts.join("")));
    fc.assert(fc.property(bytes, fc.array(fc.nat(40)), fc.nat(8), (whole, cuts, max) => {
      const at = [...new Set(cuts.filter((cut) => cut < whole.length))].sort((a, b) => a - b);
      const chunks = [0, ...at].map((from, index) => whole.subarray(from, at[index]));
      assert.deepEqual(split(chunks, max + 1), split([whole], max + 1));
    }));
  });
});
