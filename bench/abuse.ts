/**
 * 5,000 slow connections, bodies over the limit, gzip bombs, pipelined garbage and a million invalid
 * lines against a receiver in a process with a heap of 64 MB: `deno run -A bench/abuse.ts`, or with
 * node or bun. It prints what the receiver counted, its memory, and how a good sender fared.
 *
 * @module
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { abuse, GoodSender } from "../tests/abuse_senders.ts";

const HEAP = "--max-old-space-size=64";
const program = fileURLToPath(new URL("abuse_receiver.ts", import.meta.url));
const config = fileURLToPath(new URL("deno.json", import.meta.url));
const flags = "Deno" in globalThis
  ? ["run", "--quiet", `--config=${config}`, `--v8-flags=${HEAP}`, "-A"]
  : "Bun" in globalThis
  ? []
  : [HEAP];
const child = spawn(process.execPath, [...flags, program, "1000000"], {
  stdio: ["pipe", "pipe", "inherit"],
});
const printed = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
const nextLine = async () => (await printed.next()).value as string;

console.log(await nextLine());
const url = await nextLine();
const good = new GoodSender(url);
const rounds = {
  "5,000 slow connections": { slow: 5000 },
  "1,000 bodies over 4 MiB": { large: 1000 },
  "1,000 compressed bodies": { compressed: 1000 },
  "1,000 times pipelined garbage": { pipelined: 1000 },
  "100,000 invalid alerts": { invalid: 100_000 },
};
for (const [name, counts] of Object.entries(rounds)) {
  const [takenBefore, startMs] = [good.taken, performance.now()];
  const none = { slow: 0, large: 0, compressed: 0, pipelined: 0, invalid: 0 };
  await abuse(url, { ...none, ...counts });
  const seconds = (performance.now() - startMs) / 1000;
  const rate = Math.round((good.taken - takenBefore) / seconds);
  console.log(`${name}: ${seconds.toFixed(1)} s, good alerts meanwhile: ${rate}/s`);
}
console.log("good sender:", JSON.stringify(await good.stop()));
child.stdin.write("end\n");
console.log(await nextLine());
child.kill();
