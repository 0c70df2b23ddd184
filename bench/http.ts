/** How fast alerts are taken that are posted, and at what cost. @module */
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { connect } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Bench } from "./bench.ts";
import type { TargetCount } from "./http_target.ts";
import { measurement, spreadOf } from "./measurement.ts";
import { scenarioLines } from "./scenario_lines.ts";

const PROGRAM = fileURLToPath(new URL("http_target.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("deno.json", import.meta.url));
/** How many Falcos post at once. */
const SENDERS = [1, 16];

const targets = [
  { name: "node:http, which does nothing with them", kind: "plain" },
  { name: "HttpReceiver", kind: "receiver" },
] as const;

/** HTTP ingest, beside a server that does nothing with what it gets: alerts a second, CPU an alert. */
export async function benchHttpIngest(bench: Bench): Promise<void> {
  const count = bench.isQuick ? 160 : 16_000;
  bench.note(
    "The receiver is a process of its own, whose CPU time is looked at. A sender waits for each answer, " +
      "as Falco does.",
  );
  const running = await Promise.all(targets.map(({ kind }) => Target.start(kind)));
  try {
    for (const senders of SENDERS) await compareTargets(bench, running, senders, count);
  } finally {
    for (const target of running) target.stop();
  }
}

async function compareTargets(
  bench: Bench,
  running: readonly Target[],
  senders: number,
  count: number,
): Promise<void> {
  const times = targets.map(({ name }) => ({ name, values: [] as number[] }));
  const cpus = targets.map(({ name }) => ({ name, values: [] as number[] }));
  let peak = 0;
  for (let round = -1; round < bench.rounds; round++) {
    for (let turn = 0; turn < running.length; turn++) {
      const at = (Math.max(round, 0) + turn) % running.length;
      const before = await running[at]!.count();
      const startedAt = performance.now();
      await Promise.all(
        Array.from({ length: senders }, () => postAll(running[at]!.url, count / senders)),
      );
      const microseconds = (performance.now() - startedAt) * 1000;
      const after = await running[at]!.count();
      const taken = after.alerts - before.alerts;
      if (taken !== count) {
        throw new Error(`Cannot compare: ${taken} of ${count} alerts were taken`);
      }
      if (round < 0) continue; // to warm up
      times[at]!.values.push(microseconds / count);
      cpus[at]!.values.push((after.cpuMicroseconds - before.cpuMicroseconds) / count);
      if (targets[at]!.kind === "receiver") peak = Math.max(peak, after.rssBytes);
    }
  }
  const from = senders === 1 ? "one Falco" : `${senders} Falcos at once`;
  const digest = count;
  bench.add(measurement(`Posted by ${from}: time`, { unit: "µs", digest, results: times }));
  bench.add(
    measurement(`Posted by ${from}: CPU of the receiver`, { unit: "µs", digest, results: cpus }),
  );
  const rates = times.map(({ name, values }) =>
    `${name.split(",")[0]} ${Math.round(1e6 / spreadOf(values).median).toLocaleString("en")}`
  );
  bench.note(
    `Alerts a second from ${from}: ${
      rates.join(", ")
    }. Memory of HttpReceiver's process: at most ` +
      `${Math.round(peak / 2 ** 20)} MiB.`,
  );
}

/** A receiver in a process of its own. */
class Target {
  readonly url: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  private constructor(
    url: string,
    child: ChildProcessByStdio<Writable, Readable, null>,
    lines: AsyncIterator<string>,
  ) {
    this.url = url;
    this.#child = child;
    this.#lines = lines;
  }

  static async start(kind: (typeof targets)[number]["kind"]): Promise<Target> {
    const flags = "Deno" in globalThis
      ? ["run", "--quiet", "--no-prompt", `--config=${CONFIG}`, "--allow-net=127.0.0.1"]
      : [];
    const child = spawn(process.execPath, [...flags, PROGRAM, kind], {
      stdio: ["pipe", "pipe", "inherit"],
      env: {},
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { value, done } = await lines.next();
    if (done) throw new Error("Cannot measure: the receiver did not start");
    return new Target(value, child, lines);
  }

  /** What it has had so far. */
  async count(): Promise<TargetCount> {
    this.#child.stdin.write("\n");
    const { value } = await this.#lines.next();
    return JSON.parse(value) as TargetCount;
  }

  stop(): void {
    this.#child.stdin.end();
  }
}

const requests = scenarioLines.map((line) => {
  const length = new TextEncoder().encode(line).length;
  return `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${length}\r\n\r\n${line}`;
});

/** Posts alerts one after the other over one connection, as Falco does, with nothing spent on answers. */
async function postAll(url: string, count: number): Promise<void> {
  const { hostname, port } = new URL(url);
  await new Promise<void>((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let sent = 0;
    const send = () => socket.write(requests[sent++ % requests.length]!);
    socket.setNoDelay();
    socket.on("connect", send);
    socket.on("data", () => {
      if (sent < count) return send();
      socket.destroy();
      resolve();
    });
    socket.on("error", reject);
  });
}
