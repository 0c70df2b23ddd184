/** The table of texts that come again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TextCache } from "../lib/alert/text_cache.ts";

/** A text among others, as in a message. */
function place(text: string, before = "", after = "...."): [DataView, number, number] {
  const bytes = new TextEncoder().encode(before + text + after);
  const start = new TextEncoder().encode(before).length;
  return [new DataView(bytes.buffer), start, start + new TextEncoder().encode(text).length];
}

test("TextCache finds a text wherever it stands and whatever follows", () => {
  const cache = new TextCache(64);
  for (const text of ["", "a", "ab", "abc", "abcd", "abcde", "proc.name", "x".repeat(128), "é🦅"]) {
    assert.equal(cache.find(...place(text)), undefined);
    const added = cache.add(...place(text), text);
    assert.equal(added.text, text);
    assert.equal(cache.find(...place(text, "12345", "6789")), added);
  }
});

test("TextCache does not keep what is longer than 128 bytes", () => {
  const cache = new TextCache(64);
  const long = "x".repeat(129);
  assert.deepEqual(cache.add(...place(long), long), { text: long, id: -1 });
  assert.equal(cache.find(...place(long)), undefined);
});

test("TextCache gives ids below its size, and begins anew when it is full", () => {
  const cache = new TextCache(8);
  for (let at = 0; at < 8; at++) assert.equal(cache.add(...place(`${at}`), `${at}`).id, at);
  assert.equal(cache.generation, 0);
  assert.equal(cache.find(...place("3"))?.id, 3);
  assert.equal(cache.add(...place("8"), "8").id, 0);
  assert.equal(cache.generation, 1);
  assert.equal(cache.find(...place("3")), undefined);
  assert.equal(cache.find(...place("8"))?.id, 0);
});

test("TextCache of size 0 keeps nothing", () => {
  const cache = new TextCache(0);
  assert.deepEqual(cache.add(...place("a"), "a"), { text: "a", id: -1 });
  assert.equal(cache.find(...place("a")), undefined);
});
