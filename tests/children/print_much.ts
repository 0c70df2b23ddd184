/** Prints a line and 16 MiB, flushes and ends at once, as a command does. */
import process from "node:process";
import { Output } from "../../cli/output.ts";

const output = new Output(process.stdout);
try {
  void output.write("the beginning\n");
  // So that the first line is written as most are: in a turn of its own, that nobody waits for.
  await new Promise((resolve) => setTimeout(resolve, 0));
  void output.write("fifteen letters\n".repeat(2 ** 20));
  void output.write("the end\n");
  await output.flush();
} catch (error) {
  console.error(`failed: ${(error as Error).message}`);
}
if (output.closed) console.error("nobody reads");
process.exit(0);
