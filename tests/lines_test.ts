import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { splitLines } from "../lib/sources/lines.ts";

const encoder = new TextEncoder();

async function* iterate(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

/** The lines of each chunk that completed some. */
async function groups(
  chunks: readonly (string | Uint8Array)[],
  options?: { maxLineBytes?: number },
): Promise<string[][]> {
  const encoded = chunks.map((one) => typeof one === "string" ? encoder.encode(one) : one);
  return await Array.fromAsync(splitLines(iterate(encoded), options));
}

async function lines(...chunks: readonly (string | Uint8Array)[]): Promise<string[]> {
  return (await groups(chunks)).flat();
}

test("splitLines() cuts at line breaks of both kinds", async () => {
  assert.deepEqual(await lines("a\nb\r\nc\n"), ["a", "b", "c"]);
  assert.deepEqual(await lines("a\n\n\r\nb\n"), ["a", "", "", "b"]);
});

test("splitLines() counts a last line without a line break", async () => {
  assert.deepEqual(await lines("a\nb"), ["a", "b"]);
  assert.deepEqual(await lines("a"), ["a"]);
  assert.deepEqual(await lines("a\nb\r"), ["a", "b"]);
  assert.deepEqual(await lines("a\n"), ["a"]);
});

test("splitLines() finds nothing in nothing", async () => {
  assert.deepEqual(await lines(), []);
  assert.deepEqual(await lines(""), []);
  assert.deepEqual(await lines("\n"), [""]);
});

test("splitLines() cuts nowhere else", async () => {
  for (const character of ["\r", "\u2028", "\u2029", "\v", "\f", "\x1c", "\x85", "\0"]) {
    assert.deepEqual(await lines(`a${character}b\n`), [`a${character}b`]);
  }
});

test("splitLines() hands over the lines that each chunk completed", async () => {
  assert.deepEqual(await groups(["a\nb", "c", "", "d\ne\n", "\nf"]), [
    ["a"],
    ["bcd", "e"],
    [""],
    ["f"],
  ]);
});

test("splitLines() finds the same lines however the bytes are split in two", async () => {
  const text = '{"a":"ä€😀"}\r\nb\n\r\n"\u2028"\r\nlast';
  const expected = ['{"a":"ä€😀"}', "b", "", '"\u2028"', "last"];
  const whole = encoder.encode(text);
  for (let at = 0; at <= whole.length; at++) {
    assert.deepEqual(await lines(whole.subarray(0, at), whole.subarray(at)), expected);
  }
});

test("splitLines() finds the same lines in chunks of any size", async () => {
  const text = fc.array(fc.constantFrom("a", "€", "😀", "\n", "\r", "\r\n", "\u2028"));
  await fc.assert(fc.asyncProperty(text, fc.integer({ min: 1, max: 3 }), async (parts, size) => {
    const whole = encoder.encode(parts.join(""));
    const chunks = Array.from(
      { length: Math.ceil(whole.length / size) },
      (_, index) => whole.subarray(index * size, index * size + size),
    );
    assert.deepEqual(await lines(...chunks), await lines(whole));
  }));
});

test("splitLines() drops a byte order mark, at the beginning alone", async () => {
  assert.deepEqual(await lines("\ufeffa\n\ufeffb"), ["a", "\ufeffb"]);
  assert.deepEqual(await lines(Uint8Array.of(0xef), Uint8Array.of(0xbb, 0xbf, 0x61)), ["a"]);
});

test("splitLines() replaces bad bytes, at the end of the input too", async () => {
  assert.deepEqual(await lines(Uint8Array.of(0x61, 0xff, 0x62, 0x0a)), ["a\ufffdb"]);
  assert.deepEqual(await lines(Uint8Array.of(0x61, 0xe2, 0x82)), ["a\ufffd"]);
});

test("splitLines() refuses a line without an end", async () => {
  let pulled = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      pulled++;
      yield await Promise.resolve(encoder.encode("0123456789"));
    }
  }
  const read = Array.fromAsync(splitLines(endless(), { maxLineBytes: 35 }));
  await assert.rejects(read, { name: "RangeError", message: "a line is longer than 35 bytes" });
  assert.equal(pulled, 4);
  // Counted from the last line break on.
  const good = Array.from({ length: 5 }, () => ["0123456789", "0123456789", "\n"]).flat();
  assert.equal((await groups(good, { maxLineBytes: 30 })).flat().length, 5);
  const bad = ["a\n0123456789", "0123456789"];
  await assert.rejects(groups(bad, { maxLineBytes: 15 }), RangeError);
});

test("splitLines() lets go of its source when the reader leaves", async () => {
  let left = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield await Promise.resolve(encoder.encode("a\n"));
    } finally {
      left = true;
    }
  }
  for await (const group of splitLines(source())) {
    assert.deepEqual(group, ["a"]);
    break;
  }
  assert(left);
});
