/** Alerts that are not what they should be. @module */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { frameMessage } from "../../lib/transport/message_splitter.ts";
import type { AlteredMessage } from "./fault.ts";

/** One byte more than gRPC's clients accept. */
const DEFAULT_OVERSIZE = 4 * 1024 * 1024 + 1;

/** Of `falco.outputs.response`. */
const PRIORITY = 2;
const OUTPUT = 5;

/**
 * Alters an encoded alert.
 *
 * @param message A `falco.outputs.response`.
 * @param to What it shall be.
 * @param bytes How long it shall be at least, if oversized.
 * @returns A frame with gRPC's header.
 */
export function alterMessage(
  message: Uint8Array,
  to: AlteredMessage,
  bytes: number = DEFAULT_OVERSIZE,
): Uint8Array {
  // A field that comes again replaces the one before.
  const further = new BinaryWriter();
  switch (to) {
    case "oversized": {
      const text = new Uint8Array(Math.max(0, bytes - message.length)).fill(0x78);
      further.tag(OUTPUT, WireType.LengthDelimited).bytes(text);
      break;
    }
    case "invalid-utf8":
      further.tag(OUTPUT, WireType.LengthDelimited).bytes(Uint8Array.of(0x61, 0xff, 0xfe, 0x62));
      break;
    case "unknown-priority":
      further.tag(PRIORITY, WireType.Varint).int32(99);
      break;
    case "unknown-field":
      further.tag(99, WireType.LengthDelimited).string("of a later Falco");
      further.tag(100, WireType.Varint).int32(1);
      break;
    case "no-protobuf":
      // A text that is longer than the message.
      further.raw(Uint8Array.of(OUTPUT << 3 | WireType.LengthDelimited, 0x7f));
      break;
    case "compressed": {
      const frame = frameMessage(message);
      frame[0] = 1;
      return frame;
    }
  }
  const more = further.finish();
  const altered = new Uint8Array(message.length + more.length);
  altered.set(message);
  altered.set(more, message.length);
  return frameMessage(altered);
}
