/** The standard streams of this process, as output channels write to them. @module */
import process from "node:process";
import type { Writable } from "node:stream";
import type { WriteBytes } from "./stdout_output.ts";

/**
 * Makes a writer of a stream of the process.
 *
 * @param stream `process.stdout` or `process.stderr`.
 * @returns The writer: it waits for a reader that is slow, and drops what a reader that is gone would
 * have got, as a Falco that ignores SIGPIPE does.
 */
function writer(stream: Writable): WriteBytes {
  const ignore = () => {};
  let pending = 0;
  return (bytes) =>
    new Promise((resolve) => {
      if (pending++ === 0) stream.on("error", ignore);
      stream.write(bytes, () => {
        // Not at once: the event comes after this.
        setTimeout(() => {
          if (--pending === 0) stream.off("error", ignore);
        }, 0);
        resolve();
      });
    });
}

/**
 * Standard output of this process.
 *
 * @returns The writer, and whether it is a terminal, which Falco writes to line by line.
 */
export function processStdout(): { write: WriteBytes; isTerminal: boolean } {
  return { write: writer(process.stdout), isTerminal: process.stdout.isTTY === true };
}

/**
 * Standard error of this process.
 *
 * @returns The writer.
 */
export function processStderr(): WriteBytes {
  return writer(process.stderr);
}
