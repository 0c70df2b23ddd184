/** The same alerts from every source: what a Falco sends on each of its channels at once. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { expandScenario } from "../harness/expand_scenario.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { wireText } from "../lib/alert/wire.ts";
import { wireLosses } from "../lib/alert/wire_loss.ts";
import {
  connect,
  followFile,
  formatAlert,
  fromJsonLines,
  HttpReceiver,
  parseAlert,
} from "../mod.ts";
import type { Alert } from "../mod.ts";
import { readLines } from "./recordings.ts";

/** Falco's alerts, and what gRPC may lose of them: everything else is the same. */
const cases: { name: string; alerts: readonly Alert[]; losses: readonly string[] }[] = [
  ...Object.entries(scenarios).map(([name, scenario]) => ({
    name,
    alerts: [...expandScenario(scenario)].slice(0, 500),
    losses: ["absent-field", "typed-field"],
  })),
  {
    name: "recorded",
    alerts: readLines("mixed-json-output.alerts.jsonl").map((line) => parseAlert(line)),
    losses: ["absent-field", "typed-field"],
  },
];

let folder: TempFolder;
before(async () => {
  folder = await makeTempFolder();
});
after(() => folder.remove());

/** As Falco's JSON has it: among the fields is the time in nanoseconds, but of alerts about itself. */
function withEventTime(alert: Alert): Alert {
  const { time: { seconds, nanos }, outputFields } = alert;
  if (alert.source === "internal") return alert;
  const time = BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
  return { ...alert, outputFields: { "evt.time": time, ...outputFields } };
}

/** Writes what comes as syslog daemons do: the number in front is gone, and the host is there. */
class SyslogDaemon {
  /** What it has written. */
  file = "";
  readonly #socket: Socket;
  #alerts = 0;
  #onAlert: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (datagram) => {
      const text = String(datagram);
      this.file += `${text.replace(/^<\d+>(.{15}) /, "$1 node-1 ")}\n`;
      if (text.includes("falco: {")) this.#alerts++;
      this.#onAlert();
    });
  }

  static async start(): Promise<SyslogDaemon> {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return new SyslogDaemon(socket);
  }

  get address(): string {
    return `udp://127.0.0.1:${this.#socket.address().port}`;
  }

  async until(alerts: number): Promise<void> {
    while (this.#alerts < alerts) await new Promise<void>((resolve) => this.#onAlert = resolve);
  }

  close(): void {
    this.#socket.close();
  }
}

async function take(alerts: AsyncIterable<Alert>, count: number): Promise<Alert[]> {
  const taken: Alert[] = [];
  for await (const alert of alerts) {
    taken.push(alert);
    if (taken.length === count) break;
  }
  return taken;
}

describe(
  "HTTP, file, standard output, program, syslog and gRPC",
  { skip: process.platform === "win32" },
  () => {
    for (const { name, alerts: raised, losses } of cases) {
      it(`bring the same alerts: ${name}`, async () => {
        const alerts = raised.map(withEventTime);
        const receiver = await HttpReceiver.start({ port: 0, maxQueuedAlerts: 10_000 });
        const path = join(folder.path, name);
        const printed: Uint8Array[] = [];
        const syslog = await SyslogDaemon.start();
        const fake = await FakeFalco.fromConfig(
          `json_output: true
json_include_message_property: ${alerts[0]!.message !== undefined}
grpc: { enabled: true, bind_address: "unix://${path}.sock", threadiness: 2 }
grpc_output: { enabled: true }
stdout_output: { enabled: true }
syslog_output: { enabled: true }
file_output: { enabled: true, keep_alive: true, filename: "${path}.json" }
program_output: { enabled: true, keep_alive: true, program: "cat > ${path}.program" }
http_output: { enabled: true, url: "${receiver.url}" }
`,
          {
            stdout: (bytes) => void printed.push(bytes.slice()),
            stderr: () => {},
            syslog: syslog.address,
            env: {},
          },
        );
        const falco = connect(fake.address);
        const { length } = alerts;
        let overGrpc: Alert[];
        let overHttp: Alert[];
        try {
          fake.push(...raised);
          overHttp = await take(receiver, length);
          overGrpc = await take(falco.outputs.subscribe(), length);
        } finally {
          await falco.close();
          await fake.stop(); // what was held in blocks is out now
          await receiver.close();
          await syslog.until(length);
          syslog.close();
        }
        assert.deepEqual(overHttp, alerts, "HTTP");
        const once = { once: true } as const;
        assert.deepEqual(await Array.fromAsync(followFile(`${path}.json`, once)), alerts, "file");
        const toProgram = followFile(`${path}.program`, once);
        assert.deepEqual(await Array.fromAsync(toProgram), alerts, "program");
        const lines = fromJsonLines(ReadableStream.from(printed));
        assert.deepEqual(await Array.fromAsync(lines), alerts, "standard output");
        assert.equal(lines.stats().invalid, 0);
        assert(lines.stats().other > 3, "the closing summary");
        const logged = fromJsonLines(new Blob([syslog.file]).stream());
        assert.deepEqual(await Array.fromAsync(logged), alerts, "syslog");
        assert.equal(logged.stats().invalid, 0);

        // gRPC carries text in its fields, and the whole line as its output.
        assert.deepEqual(overGrpc.map(({ output }) => output), alerts.map(formatAlert));
        for (const [index, alert] of alerts.entries()) {
          assert.deepEqual(wireLosses(alert).filter((loss) => !losses.includes(loss)), []);
          const { outputFields, output: _output, ...rest } = overGrpc[index]!;
          const { outputFields: typed, output: _text, ...same } = alert;
          assert.deepEqual(rest, same);
          for (const [field, value] of Object.entries(typed)) {
            if (Object.hasOwn(outputFields, field)) {
              assert.equal(outputFields[field], wireText(value), `${name}: ${field}`);
            } else assert.match(field, /^evt\.time/, "Falco leaves its time out");
          }
        }
      });
    }
  },
);
