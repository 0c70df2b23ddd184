/** Messages in parts, to compare them whatever the order of their fields. @module */
import { BinaryReader } from "@bufbuild/protobuf/wire";

/** The parts of a message as they stand on the wire, those of output_fields sorted. */
export function partsOf(bytes: Uint8Array): string[] {
  const reader = new BinaryReader(bytes);
  const parts: string[] = [];
  const fields: string[] = [];
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const part = `${number}: ${reader.skip(type, number).join(" ")}`;
    (number === 6 ? fields : parts).push(part);
  }
  return [...parts, ...fields.sort()];
}
