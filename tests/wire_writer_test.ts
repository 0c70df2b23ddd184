/** The writer of messages, beside protobuf's own. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { WireWriter } from "../lib/alert/wire_writer.ts";

/** Texts whose length in bytes is that in characters, or not, around the lengths where heads grow. */
const texts = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.nat(400).map((length) => "x".repeat(length)),
  fc.tuple(fc.nat(200), fc.constantFrom("é", "漢", "🙂", "\ud800"), fc.nat(200))
    .map(([before, odd, after]) => "a".repeat(before) + odd + "b".repeat(after)),
  fc.constantFrom("x".repeat(16_384), "é".repeat(8_192), "x".repeat(16_383) + "é"),
);

function expected(write: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}

describe("WireWriter", () => {
  it("writes texts and entries as protobuf-es does, whatever is in them", () => {
    const writer = new WireWriter();
    fc.assert(
      fc.property(texts, texts, (key, value) => {
        writer.begin();
        writer.text(4, key);
        writer.entry(6, key, value);
        writer.text(5, value);
        const bytes = expected((other) => {
          other.tag(4, WireType.LengthDelimited).string(key.toWellFormed());
          other.tag(6, WireType.LengthDelimited).fork();
          other.tag(1, WireType.LengthDelimited).string(key.toWellFormed());
          other.tag(2, WireType.LengthDelimited).string(value.toWellFormed());
          other.join();
          other.tag(5, WireType.LengthDelimited).string(value.toWellFormed());
        });
        assert.deepEqual(writer.finish(), bytes);
      }),
      { numRuns: 500 },
    );
  });

  it("writes every whole number", () => {
    const writer = new WireWriter();
    const numbers = fc.oneof(
      fc.maxSafeInteger(),
      fc.integer(),
      fc.constantFrom(0, -0, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32, -1, Number.MAX_SAFE_INTEGER),
    );
    fc.assert(
      fc.property(numbers, (value) => {
        writer.begin();
        writer.short(1, () => writer.integer(1, value));
        const bytes = expected((other) => {
          other.tag(1, WireType.LengthDelimited).fork();
          other.tag(1, WireType.Varint).int64(value).join();
        });
        assert.deepEqual(writer.finish(), bytes);
      }),
    );
  });

  it("hands out messages that stay as they are, and keeps no huge buffer between them", () => {
    const writer = new WireWriter();
    writer.begin();
    writer.text(1, "x".repeat(5_000_000));
    const huge = writer.finish();
    assert.deepEqual([huge.length, huge.buffer.byteLength], [5_000_005, 5_000_005]);
    writer.begin();
    writer.text(1, "first");
    const first = writer.finish();
    const copy = first.slice();
    writer.begin();
    writer.text(1, "other");
    writer.finish();
    assert.deepEqual(first, copy);
  });

  it("forgets what an error left behind", () => {
    const writer = new WireWriter();
    writer.begin();
    writer.text(1, "half a message");
    writer.begin();
    writer.integer(2, 1);
    assert.deepEqual([...writer.finish()], [16, 1]);
  });
});
