/** Bytes to lines. @module */

/**
 * Cuts bytes into lines at `\n` or `\r\n`, and nowhere else: U+2028 may stand raw in JSON, where
 * `node:readline` would cut.
 *
 * @param chunks The bytes, UTF-8, split anywhere. A byte order mark is dropped, bad bytes become U+FFFD.
 * @param options `maxLineBytes`: about how long a line may get before it is an error; default 64 MiB,
 * far above any alert, so that a file without line breaks does not fill the memory.
 * @returns The lines that each chunk completed; a last line without a line break counts.
 * @throws {RangeError} If a line is too long.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  options: { maxLineBytes?: number } = {},
): AsyncGenerator<string[], void, undefined> {
  const { maxLineBytes = 64 * 1024 * 1024 } = options;
  const decoder = new TextDecoder();
  let parts: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    const end = text.lastIndexOf("\n");
    if (end < 0) {
      parts.push(text);
      length += text.length;
      if (length > maxLineBytes) {
        throw new RangeError(`a line is longer than ${maxLineBytes} bytes`);
      }
      continue;
    }
    const lines = (parts.join("") + text.slice(0, end)).split("\n");
    parts = [text.slice(end + 1)];
    length = parts[0]!.length;
    yield lines.map(dropReturn);
  }
  const rest = parts.join("") + decoder.decode();
  if (rest !== "") yield [dropReturn(rest)];
}

function dropReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
