/** What is in a protobuf message, without knowing its type. @module */
import { BinaryReader } from "@bufbuild/protobuf/wire";

/**
 * Lists the fields of a message.
 *
 * @param message The message.
 * @returns Their numbers, each once, in ascending order.
 */
export function fieldNumbers(message: Uint8Array): number[] {
  const reader = new BinaryReader(message);
  const numbers = new Set<number>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    numbers.add(number);
    reader.skip(type, number);
  }
  return [...numbers].sort((one, other) => one - other);
}
