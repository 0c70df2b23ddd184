/** The recordings of a real Falco in fixtures/recorded. @module */
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";

const folder = new URL("fixtures/recorded/", import.meta.url);

/** The lines of a file. */
export function readLines(name: string, from: URL = folder): string[] {
  return readFileSync(new URL(name, from), "utf8").trimEnd().split("\n");
}

/** The objects of a file with one a line. */
export function readObjects<T>(name: string): T[] {
  return readLines(name).map((line) => JSON.parse(line) as T);
}

/** The alerts of a wire recording, each as a `falco.outputs.response`. */
export function readWires(name: string, from: URL = folder): Uint8Array[] {
  return readLines(name, from)
    .map((line) => JSON.parse(line) as { method: string; wire: string })
    .filter(({ method }) => method.startsWith("/falco.outputs.service/"))
    .map(({ wire }) => fromBase64(wire));
}

/** A line of json-properties.jsonl. */
export interface PropertiesCase {
  readonly case: string;
  readonly config: Record<string, unknown>;
  readonly line: string;
}

/** A line of internal.jsonl. */
export interface InternalCase {
  readonly case: string;
  readonly json_output: boolean;
  readonly file: string;
  readonly wires: readonly string[];
}

/** Every `falco.outputs.response` that was recorded. */
export function allWires(): Uint8Array[] {
  return [
    ...readWires("mixed.wire.jsonl"),
    ...readWires("mixed-json-output.wire.jsonl"),
    ...readObjects<InternalCase>("internal.jsonl").flatMap(({ wires }) => wires.map(fromBase64)),
  ];
}

/** The lines that Falco wrote about itself as JSON, and the alerts between them. */
export function internalLines(): string[] {
  return readObjects<InternalCase>("internal.jsonl")
    .filter((recorded) => recorded.json_output)
    .flatMap(({ file }) => file.trimEnd().split("\n"));
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
