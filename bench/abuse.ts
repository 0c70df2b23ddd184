/**
 * 5,000 slow connections, bodies over the limit, broken gzip and gzip bombs, pipelined garbage, wrong
 * certificates and a million invalid lines against receivers in a process with a heap of 64 MB:
 * `deno run -A bench/abuse.ts`, or with node or bun. It prints what the receivers counted, their memory,
 * and how good senders fared, and ends with 1 if anything of that is not as it must be.
 *
 * @module
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { HttpReceiverStats } from "../lib/sources/http_receiver_options.ts";
import { abuse, abuseTls, GoodSender } from "../tests/abuse_senders.ts";

const HEAP = "--max-old-space-size=64";
/** Of the whole process, runtime and all: what bodies on their way may take alone is 64 MiB. */
const MAX_MB = 300;
const LINES = 1_000_000;
const WRONG_CERTIFICATES = 1000;

/** What the process prints in the end. */
interface Counted {
  readonly rules: readonly string[];
  readonly plain: HttpReceiverStats & { readonly good: number };
  readonly tls: HttpReceiverStats & { readonly good: number };
  readonly peakMb: number;
}

const folder = await makeTempFolder();
const [ours, theirs] = [await makeCertificates(), await makeCertificates()];
await writeCertificates(folder.path, ours);
const program = fileURLToPath(new URL("abuse_receiver.ts", import.meta.url));
const config = fileURLToPath(new URL("deno.json", import.meta.url));
const flags = "Deno" in globalThis
  ? ["run", "--quiet", `--config=${config}`, `--v8-flags=${HEAP}`, "-A"]
  : "Bun" in globalThis
  ? []
  : [HEAP];
const child = spawn(process.execPath, [...flags, program, String(LINES), folder.path], {
  stdio: ["pipe", "pipe", "inherit"],
});
const printed = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
const nextLine = async () => (await printed.next()).value as string;

const lines = JSON.parse(await nextLine()) as { invalidLines: number; peakMb: number };
console.log(`${lines.invalidLines} invalid lines: at most ${lines.peakMb} MB`);
const [url, guardedUrl] = [await nextLine(), await nextLine()];
const good = new GoodSender(url);
const goodTls = new GoodSender(guardedUrl, { ca: ours.ca, ...ours.client });
const rounds = {
  "5,000 slow connections": { slow: 5000 },
  "1,000 bodies over 4 MiB": { large: 1000 },
  "1,000 compressed bodies": { compressed: 1000 },
  "1,000 times pipelined garbage": { pipelined: 1000 },
  "100,000 invalid alerts": { invalid: 100_000 },
};
let isServed = true;
for (const [name, counts] of Object.entries(rounds)) {
  const none = { slow: 0, large: 0, compressed: 0, pipelined: 0, invalid: 0 };
  await during(name, () => abuse(url, { ...none, ...counts }));
}
let answered = 0;
await during(`${WRONG_CERTIFICATES} wrong certificates, or none`, async () => {
  answered = await abuseTls(guardedUrl, WRONG_CERTIFICATES, { ca: ours.ca, ...theirs.client });
});
const [sent, sentTls] = [await good.stop(), await goodTls.stop()];
console.log("good senders:", JSON.stringify(sent), JSON.stringify(sentTls));
child.stdin.write("end\n");
const last = await nextLine();
child.kill();
await folder.remove();
console.log(last);

const { rules, plain, tls, peakMb } = JSON.parse(last) as Counted;
const { refused } = plain;
const checks: [what: string, holds: boolean][] = [
  ["every invalid line is counted", lines.invalidLines === LINES],
  [`memory stays below ${MAX_MB} MB`, peakMb < MAX_MB],
  ["good senders were served in every round", isServed],
  ["their alerts were all taken, once", sent.taken === sent.sent && plain.good === sent.sent],
  ["over TLS as well", sentTls.taken === sentTls.sent && tls.good === sentTls.sent],
  ["there is no other alert", rules.join() === "good" && answered === 0],
  ["each body over the limit is counted", refused.size === 1000],
  ["each compressed body is counted", refused.encoding === 1000],
  ["each invalid alert is counted", plain.invalid === 1000 * 20 + 100_000],
  ["each piece of garbage is counted", refused.malformed! >= 1000],
  ["slow connections are turned away, and counted", refused.connections! >= 4000],
  // Bun does not tell of connections that fail before they are encrypted.
  ["each wrong certificate is counted", "Bun" in globalThis || tls.refused.malformed! >= 1000],
];
for (const [what, holds] of checks) console.log(`${holds ? "holds" : "DOES NOT HOLD"}: ${what}`);
process.exit(checks.every(([, holds]) => holds) ? 0 : 1);

/** Does something, and tells how good senders fared meanwhile. */
async function during(name: string, work: () => Promise<unknown>): Promise<void> {
  const [before, beforeTls, startMs] = [good.taken, goodTls.taken, performance.now()];
  await work();
  const seconds = (performance.now() - startMs) / 1000;
  const [taken, takenTls] = [good.taken - before, goodTls.taken - beforeTls];
  if (taken === 0 || takenTls === 0) isServed = false;
  console.log(`${name}: ${seconds.toFixed(1)} s, good alerts meanwhile: ${taken}, TLS ${takenTls}`);
}
