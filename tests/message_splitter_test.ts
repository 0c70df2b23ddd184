import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { frameMessage, FramingError, MessageSplitter } from "../lib/transport/message_splitter.ts";

const LIMIT = 1000;

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function bytes(length: number, first = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (first + index) % 256);
}

/** A header alone. */
function header(flags: number, length: number): Uint8Array {
  const head = new Uint8Array(5);
  head[0] = flags;
  new DataView(head.buffer).setUint32(1, length);
  return head;
}

/** Everything that comes out, each message copied before the next chunk comes. */
function split(chunks: readonly Uint8Array[], maxBytes = LIMIT): Uint8Array[] {
  const splitter = new MessageSplitter(maxBytes);
  const messages = chunks.flatMap((chunk) => splitter.push(chunk)).map((one) => one.slice());
  assert.equal(splitter.midMessage, false);
  return messages;
}

/** Cuts at the given places. */
function cut(whole: Uint8Array, places: readonly number[]): Uint8Array[] {
  const bounds = [0, ...places, whole.length];
  return bounds.slice(1).map((end, index) => whole.subarray(bounds[index]!, end));
}

const messages = [bytes(3), bytes(0), bytes(300, 7), bytes(1, 99), bytes(0), bytes(LIMIT)];
const wire = join(...messages.map(frameMessage));

test("MessageSplitter finds the messages however the bytes are split in two", () => {
  for (let at = 0; at <= wire.length; at++) {
    assert.deepEqual(split(cut(wire, [at])), messages, `split at ${at}`);
  }
});

test("MessageSplitter finds the messages however a header is split in three", () => {
  const small = [bytes(2), bytes(0), bytes(4)];
  const whole = join(...small.map(frameMessage));
  for (let first = 0; first <= whole.length; first++) {
    for (let second = first; second <= whole.length; second++) {
      assert.deepEqual(split(cut(whole, [first, second])), small, `split at ${first}, ${second}`);
    }
  }
});

for (const size of [1, 2, 3]) {
  test(`MessageSplitter finds the messages in chunks of ${size} bytes`, () => {
    const places = Array.from(
      { length: Math.ceil(wire.length / size) - 1 },
      (_, i) => i * size + size,
    );
    assert.deepEqual(split(cut(wire, places)), messages);
  });
}

test("MessageSplitter hands out each message with the chunk that completes it", () => {
  const splitter = new MessageSplitter(LIMIT);
  assert.equal(splitter.midMessage, false);
  assert.deepEqual(splitter.push(wire.subarray(0, 8 + 5 + 5)), [bytes(3), bytes(0)]);
  assert.equal(splitter.midMessage, true);
  assert.deepEqual(splitter.push(wire.subarray(18, 18 + 299)), []);
  assert.equal(splitter.midMessage, true);
  assert.deepEqual(splitter.push(wire.subarray(18 + 299)), messages.slice(2));
  assert.equal(splitter.midMessage, false);
  assert.deepEqual(splitter.push(new Uint8Array()), []);
});

test("MessageSplitter keeps what frameMessage() put in, split anywhere", () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
  const places = fc.array(fc.nat(400), { maxLength: 20 });
  fc.assert(fc.property(parts, places, (given, anywhere) => {
    const whole = join(...given.map(frameMessage));
    const sorted = anywhere.map((at) => Math.min(at, whole.length)).sort((a, b) => a - b);
    assert.deepEqual(split(cut(whole, sorted)), given);
  }));
});

test("MessageSplitter hands out views if a message lies in one chunk", () => {
  const chunk = join(frameMessage(bytes(3)), frameMessage(bytes(4)));
  for (const message of new MessageSplitter(LIMIT).push(chunk)) {
    assert.equal(message.buffer, chunk.buffer);
  }
});

test("MessageSplitter accepts a message of the longest length and no longer one", () => {
  assert.deepEqual(split([frameMessage(bytes(LIMIT))]), [bytes(LIMIT)]);
  assert.throws(() => new MessageSplitter(LIMIT).push(header(0, LIMIT + 1)), (error) => {
    assert(error instanceof FramingError);
    assert.equal(error.name, "FramingError");
    assert.equal(error.message, "the message has 1001 bytes, 1000 are allowed");
    return true;
  });
});

test("MessageSplitter refuses a huge length with its header, before any byte of it", () => {
  for (const length of [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
    const splitter = new MessageSplitter(LIMIT);
    assert.deepEqual(splitter.push(header(0, length).subarray(0, 4)), []);
    assert.throws(() => splitter.push(header(0, length).subarray(4)), {
      message: `the message has ${length} bytes, 1000 are allowed`,
    });
  }
});

test("MessageSplitter tells compression from bytes that are no messages", () => {
  const push = (flags: number): unknown => new MessageSplitter(LIMIT).push(header(flags, 1));
  assert.throws(() => push(1), { name: "FramingError", message: "the message is compressed" });
  for (const flags of [2, 0x48, 255]) {
    assert.throws(() => push(flags), { message: "the bytes are not gRPC messages" });
  }
});

test("MessageSplitter hands out what came before a violation, split anywhere", () => {
  const good = [bytes(3), bytes(8, 3)];
  const whole = join(...good.map(frameMessage), header(1, 2), bytes(2));
  for (let at = 0; at <= whole.length; at++) {
    const splitter = new MessageSplitter(LIMIT);
    const found: Uint8Array[] = [];
    assert.throws(() => {
      for (const chunk of cut(whole, [at])) splitter.push(chunk, found);
    }, FramingError);
    assert.deepEqual(found, good, `split at ${at}`);
  }
});

test("MessageSplitter fails on random bytes with its own error alone", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), (chunks) => {
    const splitter = new MessageSplitter(20);
    try {
      for (const chunk of chunks) {
        for (const message of splitter.push(chunk)) assert(message.length <= 20);
      }
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
    }
  }));
});

test("MessageSplitter takes a large message in small chunks in linear time", () => {
  const message = bytes(4_000_000);
  const framed = frameMessage(message);
  const chunks = Array.from({ length: 40_000 }, (_, i) => framed.subarray(i * 101, i * 101 + 101));
  // Joining at each chunk would copy 80 GB.
  const found = new MessageSplitter(message.length);
  const out = chunks.flatMap((chunk) => found.push(chunk));
  assert.equal(out.length, 1);
  assert.deepEqual(out[0], message);
});

test("frameMessage() puts flags and the length in front, highest byte first", () => {
  assert.deepEqual(frameMessage(new Uint8Array()), new Uint8Array(5));
  const framed = frameMessage(bytes(0x010203));
  assert.deepEqual(framed.subarray(0, 5), Uint8Array.of(0, 0, 1, 2, 3));
  assert.equal(framed.length, 5 + 0x010203);
});
