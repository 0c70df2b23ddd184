/**
 * A gateway in a process of its own under load, with clients of any make: whether each gets
 * everything, in order, or with delivery `shared` all together do.
 *
 *     node bench/gateway_load.ts --count 100000 --gateway "node cli/main.ts"
 *
 * Alerts are posted one a request on one connection, as Falco does. `--client` names a program that
 * takes `ADDRESS CERTS MODE COUNT` and prints a line `{"alert":{"rule":...}}` for each alert, as those
 * of tests/interop do; MODE is the part of the option behind the last blank. Clients that are not
 * named, up to three, are this package's own.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import process from "node:process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { buildAlert } from "../harness/build_alert.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { connect } from "../lib/client/connect.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100000" },
    delivery: { type: "string", default: "fanout" },
    gateway: { type: "string", default: "node cli/main.ts" },
    client: { type: "string", multiple: true, default: [] },
  },
});
const count = Number(values.count);
const isShared = values.delivery === "shared";
const folder = await makeTempFolder();
const config = `${folder.path}/gateway.yaml`;
const address = `unix://${folder.path}/gateway.sock`;
writeFileSync(
  config,
  JSON.stringify({
    version: 1,
    sources: [{ name: "in", type: "http", listen: "127.0.0.1:0" }],
    listeners: [{
      name: "out",
      address,
      delivery: values.delivery,
      queue: { alerts: count, bytes: 2 ** 30 },
    }],
    admin: { listen: "127.0.0.1:0" },
  }),
);

const [program = "", ...args] = values.gateway.split(" ");
const gateway = spawn(program, [...args, "gateway", "-c", config], {
  stdio: ["ignore", "ignore", "pipe"],
});
const places = Promise.withResolvers<{ receiver: string; admin: string }>();
let admin = "";
createInterface({ input: gateway.stderr }).on("line", (line) => {
  const entry = JSON.parse(line) as Record<string, unknown>;
  if (entry["admin"] === true) admin = String(entry["address"]);
  const receiver = /^listening on (.*)$/.exec(String(entry["detail"]))?.[1];
  if (receiver !== undefined) places.resolve({ receiver, admin });
  if (entry["level"] === "warn" || entry["event"] === "stopped") console.log(line);
});
const { receiver, admin: adminUrl } = await places.promise;

/** The number of an alert, in the order in which each client got it. */
const got: number[][] = [];
let total = 0;
const finished = Promise.withResolvers<void>();
const expected = isShared ? count : 3 * count;

function note(client: number, rule: string): void {
  got[client]!.push(Number(rule.slice(1)));
  if (++total === expected) finished.resolve();
}

const leave: (() => Promise<void>)[] = [];
for (let index = 0; index < 3; index++) {
  got.push([]);
  const command = values.client[index];
  if (command === undefined) {
    const falco = connect(address);
    void (async () => {
      for await (const alert of falco.outputs.subscribe()) note(index, alert.rule);
    })();
    leave.push(() => falco.close());
    continue;
  }
  const words = command.split(" ");
  const mode = words.pop()!;
  const [name = "", ...rest] = words;
  // One more than there are, so that it stays.
  const child = spawn(name, [...rest, address, "-", mode, String(count + 1)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { alert } = JSON.parse(line) as { alert?: { rule: string } };
    if (alert !== undefined) note(index, alert.rule);
  });
  leave.push(() => {
    child.kill("SIGKILL");
    return Promise.resolve();
  });
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const line = text.split("\n").find((one) => one.startsWith(`falco_gateway_${name}`));
  return Number(line?.split(" ").at(-1));
}

while (await metric("listener_subscribers{") < 3) {
  await new Promise((resolve) => setTimeout(resolve, 50));
}
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function post(body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(receiver, { method: "POST", agent }, (response) => {
      response.resume();
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response.on("end", resolve);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const startedAt = performance.now();
for (let at = 1; at <= count; at++) await post(formatAlert(buildAlert({ rule: `a${at}` })));
const posted = performance.now();
const late = setTimeout(() => finished.reject(new Error(`only ${total} came`)), 60_000);
await finished.promise.catch((error: Error) => console.log(error.message));
clearTimeout(late);
const done = performance.now();

const isAscending = (numbers: readonly number[]) =>
  numbers.every((number, index) => index === 0 || number > numbers[index - 1]!);
const isRight = isShared
  ? new Set(got.flat()).size === count && total === count
  : got.every((one) => one.length === count);
console.log(
  `${count} alerts by HTTP in ${((posted - startedAt) / 1000).toFixed(1)} s: ${
    Math.round(count / (posted - startedAt) * 1000)
  } a second; the last client had the last one ${(done - posted).toFixed(0)} ms later`,
);
console.log(`clients got ${got.map((one) => one.length).join(", ")}`);
console.log(
  `${isRight ? "nothing" : "SOMETHING"} is missing or doubled; ${
    got.every(isAscending) ? "all" : "NOT all"
  } in order; dropped ${await metric("listener_dropped_total{")}`,
);
if (process.platform === "linux") {
  const status = readFileSync(`/proc/${gateway.pid}/status`, "utf8");
  console.log(`the gateway's process: ${/VmHWM:\s*(.*)/.exec(status)?.[1]} at most`);
}
agent.destroy();
await Promise.all(leave.map((one) => one()));
gateway.kill("SIGTERM");
await new Promise((resolve) => gateway.once("close", resolve));
await folder.remove();
process.exit(isRight && got.every(isAscending) ? 0 : 1);
