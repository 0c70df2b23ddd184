/** How fast alerts come in from elsewhere, beside what one would use otherwise. @module */
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { expandScenario } from "../harness/expand_scenario.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { followFile } from "../lib/sources/follow_file.ts";
import { HttpReceiver } from "../lib/sources/http_receiver.ts";
import type { Bench } from "./bench.ts";

const lines = Object.values(scenarios).flatMap((scenario) =>
  [...expandScenario(scenario)].map(formatAlert)
);

/** Posts alerts one after the other over one connection, as Falco does, with nothing spent on answers. */
async function postAll(url: string, count: number): Promise<void> {
  const { hostname, port, pathname } = new URL(url);
  const requests = lines.map((line) => {
    const length = new TextEncoder().encode(line).length;
    return `POST ${pathname} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${length}\r\n\r\n${line}`;
  });
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

/** HTTP ingest, beside a server that does nothing with what it gets. */
export async function benchHttpIngest(bench: Bench): Promise<void> {
  const count = bench.isQuick ? 50 : 5000;
  bench.note(
    "Sender and receiver share a process, and the sender waits for each answer, as Falco does.",
  );
  await bench.compare("Taking alerts that are posted one after the other", [
    {
      name: "node:http, which does nothing with them",
      async run() {
        const server = createServer((request, response) => {
          request.resume();
          request.on("end", () => response.end());
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        await postAll(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, count);
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        return { operations: count, digest: count };
      },
    },
    {
      name: "HttpReceiver",
      async run() {
        const receiver = await HttpReceiver.start({ port: 0 });
        let digest = 0;
        const reading = (async () => {
          for await (const alert of receiver) digest += Math.sign(alert.rule.length);
        })();
        await postAll(receiver.url, count);
        await receiver.close();
        await reading;
        return { operations: count, digest };
      },
    },
  ]);
}

/** Reading a large file, beside tail and jq. 100 MB; with FALCO_STREAMS_BENCH_MB as much as that says. */
export async function benchFollowFile(bench: Bench): Promise<void> {
  const folder = await makeTempFolder();
  try {
    const path = join(folder.path, "large.jsonl");
    const block = `${lines.join("\n")}\n`;
    const bytes = bench.isQuick ? 1 : Number(process.env["FALCO_STREAMS_BENCH_MB"] ?? 100) * 1e6;
    const blocks = Math.ceil(bytes / block.length);
    const file = createWriteStream(path);
    for (let written = 0; written < blocks; written++) {
      if (!file.write(block)) await new Promise<void>((go) => file.once("drain", () => go()));
    }
    await new Promise<void>((resolve) => file.end(() => resolve()));
    const count = blocks * lines.length;
    bench.note(`${Math.round(blocks * block.length / 1e6)} MB, ${count} alerts.`);
    const followed = {
      name: "followFile",
      async run() {
        let digest = 0;
        for await (const alert of followFile(path, { once: true })) {
          digest += Math.sign(alert.rule.length);
        }
        return { operations: count, digest };
      },
    };
    if (!await canRunJq()) {
      bench.note("Without jq there is nothing to compare it with.");
      return await bench.compare("Reading a file of alerts", [followed]);
    }
    await bench.compare("Reading a file of alerts", [
      {
        name: "tail -n +1 | jq -c .",
        run: () =>
          new Promise((resolve, reject) => {
            const child = spawn("sh", ["-c", 'tail -n +1 "$1" | jq -c .', "sh", path], {
              stdio: ["ignore", "pipe", "inherit"],
            });
            let digest = 0;
            child.stdout.on("data", (chunk: Uint8Array) => {
              for (const byte of chunk) if (byte === 10) digest++;
            });
            child.on("error", reject);
            child.on("close", () => resolve({ operations: count, digest }));
          }),
      },
      followed,
    ]);
  } finally {
    await folder.remove();
  }
}

async function canRunJq(): Promise<boolean> {
  try {
    return await new Promise((resolve) => {
      const child = spawn("jq", ["--version"], { stdio: "ignore" });
      child.on("error", () => resolve(false));
      child.on("exit", (status) => resolve(status === 0));
    });
  } catch {
    return false; // Deno without --allow-run and --allow-env
  }
}
