/** What can be fuzzed. @module */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { parseScenario } from "../../harness/parse_scenario.ts";
import type { Alert } from "../../lib/alert/alert.ts";
import { decodeAlert } from "../../lib/alert/decode_alert.ts";
import { formatAlert } from "../../lib/alert/format_alert.ts";
import { parseAlert } from "../../lib/alert/parse_alert.ts";
import { encodeAlert } from "../../lib/alert/wire.ts";
import { compileCondition } from "../../lib/condition/mod.ts";
import { FalcoError } from "../../lib/errors.ts";
import {
  frameMessage,
  FramingError,
  MessageSplitter,
} from "../../lib/transport/message_splitter.ts";
import { sampleAlerts } from "../../bench/clients/sample_alerts.ts";
import { allWires, readLines } from "../recordings.ts";
import { CountingReader, decodeBoth } from "./decode_both.ts";
import type { Verdict } from "./decode_both.ts";
import { join, type Random } from "./mutate.ts";

/** Something that takes any bytes. */
export interface Target {
  /** What to begin with. */
  readonly samples: readonly Uint8Array[];
  /**
   * Takes an input.
   *
   * @param bytes Any bytes.
   * @param random For choices that the input leaves open.
   * @returns Whether it was accepted; anything thrown is a finding.
   */
  run(bytes: Uint8Array, random: Random): Verdict;
}

const MAX_MESSAGE_BYTES = 64 * 1024;

/** The targets by name. `alert` and `frames` are what a hostile Falco can reach. */
export const targets: Record<string, () => Target> = {
  alert() {
    const reader = new CountingReader();
    return { samples: messages(), run: (bytes) => decodeBoth(bytes, reader) };
  },
  frames() {
    const framed = messages().map(frameMessage);
    const reader = new CountingReader();
    return {
      samples: framed.map((frame, at) => join(frame, framed[(at * 7 + 1) % framed.length]!, frame)),
      run: (bytes, random) => readFrames(bytes, random, reader),
    };
  },
  json() {
    const alerts = messages().map((message) => decodeAlert(message));
    const lines = [...alerts.map(formatAlert), ...readLines("mixed-json-output.alerts.jsonl")];
    return textTarget(lines, (line) => {
      const alert = parseAlert(line);
      assert.equal(Object.getPrototypeOf(alert.outputFields), Object.prototype);
      // Written and read again it is the same.
      assert.deepEqual(parseAlert(formatAlert(alert)), alert);
    });
  },
  condition() {
    const folder = new URL("../fixtures/conditions/", import.meta.url);
    const conditions = readLines("evaluation.jsonl", folder)
      .map((line) => (JSON.parse(line) as { condition: string }).condition);
    const alert: Alert = decodeAlert(messages()[0]!);
    return textTarget([...new Set(conditions)], (text) => {
      assert.equal(typeof compileCondition(text)(alert), "boolean");
    });
  },
  scenario() {
    const alerts = ["Notice", "critical"].map((priority, at) =>
      `- { afterMs: ${at}, repeat: 2, everyMs: 5, priority: ${priority}, rule: r,\n` +
      `    output: "o %proc.name", output_fields: { proc.name: bash, n: ${at} }, tags: [a, b] }\n`
    );
    const head = "version: 1\nname: n\nstart: 2026-01-01T00:00:00Z\nseed: 7\n";
    const long = `${head}description: &text |\n  two\n  lines\nsource: *text\nalerts:\n`;
    return textTarget([`${head}alerts:\n${alerts.join("")}`, long + alerts[0]], parseScenario);
  },
};

/** What a real Falco sent, and alerts of the usual length. */
function messages(): Uint8Array[] {
  return [...allWires(), ...sampleAlerts(64).map((alert) => encodeAlert(alert))];
}

function textTarget(texts: readonly string[], take: (text: string) => unknown): Target {
  return {
    samples: texts.map((text) => new TextEncoder().encode(text)),
    run(bytes) {
      try {
        take(Buffer.from(bytes).toString("utf8"));
        return "alert";
      } catch (error) {
        if (error instanceof FalcoError) return "refused";
        throw error;
      }
    },
  };
}

/** However the bytes are split, the same messages come out, and each is an alert or refused. */
function readFrames(bytes: Uint8Array, random: Random, reader: CountingReader): Verdict {
  const whole = split([bytes]);
  const at = random.below(bytes.length + 1);
  const next = at + random.below(bytes.length - at + 1);
  const parts = split([bytes.subarray(0, at), bytes.subarray(at, next), bytes.subarray(next)]);
  assert.deepEqual(parts, whole);
  let verdict: Verdict = whole.error === undefined ? "alert" : "refused";
  for (const message of whole.messages) {
    if (decodeBoth(message, reader) === "refused") verdict = "refused";
  }
  return verdict;
}

function split(chunks: readonly Uint8Array[]): { messages: Uint8Array[]; error?: string } {
  const splitter = new MessageSplitter(MAX_MESSAGE_BYTES);
  const found: Uint8Array[] = [];
  try {
    for (const chunk of chunks) splitter.push(chunk, found);
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
    return { messages: found, error: error.message };
  }
  return { messages: found };
}
