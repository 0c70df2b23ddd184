/** `deno task soak`: a client under faults for half an hour, with its figures. @module */
import { mkdir, writeFile } from "node:fs/promises";
import process from "node:process";
import { parseArgs } from "node:util";
import { systemClock, wait } from "../../lib/clock.ts";
import { descriptors, look } from "./figures.ts";
import type { Sample } from "./figures.ts";
import { Lane } from "./lane.ts";
import { failuresOf, plotOf, reportOf } from "./report.ts";
import { svgOf, textOf } from "./plot.ts";

const USAGE = `Usage: deno task soak [--minutes N] [--seed S] [--rate N] [--results FOLDER]

Runs two clients, one over a unix socket and one over mutual TLS, each against a fake Falco on which
faults strike, and checks numbers, memory and descriptors.

  --minutes N       how long (default 30)
  --seed S          decides the faults (default 1)
  --rate N          alerts in a second for each client (default 200)
  --results FOLDER  writes SOAK.md and soak.svg there
`;
/** How often the process is looked at. */
const SAMPLES = 400;
/** Looking takes a moment itself: a collection, and a process that lists the descriptors. */
const MIN_SAMPLE_MS = 250;
/** A fault in so many milliseconds for each client, on average. */
const FAULT_EVERY_MS = 4000;
/** How long descriptors of closed connections may take to go. */
const CLOSING_MS = 3000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    seed: { type: "string", default: "1" },
    rate: { type: "string", default: "200" },
    results: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const [minutes, seed, rate] = [values.minutes, values.seed, values.rate].map(Number) as [
  number,
  number,
  number,
];
const wrong = !(minutes > 0 && minutes < Infinity && Number.isSafeInteger(seed) && rate > 0);
if (values.help || wrong) {
  process[wrong ? "stderr" : "stdout"].write(USAGE);
  process.exitCode = wrong ? 2 : 0;
} else {
  process.exitCode = await soak();
}

function lanes(durationMs: number, faults: number): Lane[] {
  return [
    new Lane({ name: "unix", tls: false, durationMs, seed, faults, rate }),
    new Lane({ name: "TLS", tls: true, durationMs, seed: seed + 1, faults, rate }),
  ];
}

async function soak(): Promise<number> {
  const durationMs = minutes * 60_000;
  // What a runtime opens once and keeps is not what is looked for.
  await Promise.all(lanes(1000, 0).map((lane) => lane.run()));
  await wait(CLOSING_MS);
  const before = descriptors();

  const startedAt = systemClock.now();
  const all = lanes(durationMs, Math.max(Math.floor(durationMs / FAULT_EVERY_MS), 1));
  const samples: Sample[] = [];
  const done = new AbortController();
  const running = Promise.all(all.map((lane) => lane.run())).finally(() => done.abort());
  const looking = (async () => {
    while (!done.signal.aborted) {
      samples.push({
        atS: (systemClock.now() - startedAt) / 1000,
        ...look(),
        received: all.reduce((sum, lane) => sum + lane.check.figures.received, 0),
        queued: all.reduce((sum, lane) => sum + lane.queued, 0),
      });
      await wait(Math.max(durationMs / SAMPLES, MIN_SAMPLE_MS), { signal: done.signal }).catch(
        () => {},
      );
    }
  })();
  await running;
  await looking;

  let left = leftOver(before);
  for (const endMs = systemClock.now() + CLOSING_MS; left.length > 0;) {
    if (systemClock.now() >= endMs) break;
    await wait(100);
    left = leftOver(before);
  }
  const marks = all.flatMap((lane) => lane.struckAtMs.map((atMs) => (atMs - startedAt) / 1000));
  const plot = plotOf(samples, marks);
  const names = ["unix", "TLS"];
  const run = {
    minutes,
    seed,
    rate,
    samples,
    left,
    lanes: all.map(({ check, figures }, index) => ({
      name: names[index]!,
      sequence: check.figures,
      figures,
    })),
  };
  const text = reportOf(run, textOf(plot));
  process.stdout.write(text);
  if (values.results !== undefined) {
    await mkdir(values.results, { recursive: true });
    await writeFile(`${values.results}/soak.svg`, svgOf(plot));
    await writeFile(
      `${values.results}/SOAK.md`,
      `# Soak\n\nWritten by \`deno task soak --results\`.\n\n` +
        `![Memory, descriptors and alerts over time](soak.svg)\n\n\`\`\`text\n${text}\`\`\`\n`,
    );
  }
  return failuresOf(run).length === 0 ? 0 : 1;
}

/** The descriptors that were not open before. */
function leftOver(before: readonly string[]): string[] {
  const now = descriptors();
  const more = now.length - before.length;
  // Sockets have numbers of their own: the last ones are as good a guess as any.
  return more > 0 ? now.filter((one) => !before.includes(one)).slice(-more) : [];
}
