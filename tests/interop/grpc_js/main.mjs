/** A client with `@grpc/grpc-js`, driven by tests/interop/main.ts. See ../README.md for what it prints. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const POLL_MS = 50;
const BACK_OFF_MS = 50;

const [proto, address, certs, mode, text = "0"] = process.argv.slice(2);
const wanted = Number(text);
const { falco } = grpc.loadPackageDefinition(
  loadSync(["outputs.proto", "version.proto", "legacy_output.proto"], {
    includeDirs: [proto],
    keepCase: true,
    longs: String,
    enums: Number,
    defaults: true,
  }),
);
const isUnix = address.startsWith("unix:");
const target = isUnix ? address : address.replace("https://", "");
const read = (name) => readFileSync(join(certs, name));
const credentials = isUnix
  ? grpc.credentials.createInsecure()
  : grpc.credentials.createSsl(read("ca.crt"), read("client.key"), read("client.crt"));
const client = (service) => new service(target, credentials);

let count = 0;

function say(name, value) {
  process.stdout.write(`${JSON.stringify({ [name]: value })}\n`);
}

function printAlert(alert) {
  count++;
  // Before 0.31 the source was a number alone, before 0.30 there were no tags.
  const source = typeof alert.source === "number"
    ? ["syscall", "k8s_audit", "internal", "plugin"][alert.source]
    : alert.source;
  const { time, priority, rule, output, output_fields, hostname, tags = [] } = alert;
  const { seconds, nanos } = time;
  say("alert", {
    seconds,
    nanos,
    priority,
    rule,
    output,
    output_fields,
    hostname,
    tags,
    source,
  });
}

/** Prints what comes on a call: how it ended. `enough`: cancel once there are so many in total. */
function statusOf(call, enough) {
  return new Promise((resolve) => {
    call.on("data", (alert) => {
      printAlert(alert);
      if (count === enough) call.cancel();
    });
    call.on("error", (error) => {
      process.stderr.write(`${error.message}\n`);
      resolve(error.code);
    });
    call.on("end", () => {});
    call.on("status", ({ code }) => resolve(code));
  });
}

async function sub(options = {}) {
  const call = client(falco.outputs.service).sub(options);
  const timer = setInterval(() => call.write({}), POLL_MS);
  call.write({});
  try {
    return await statusOf(call, wanted);
  } finally {
    clearInterval(timer);
  }
}

async function watch() {
  for (;;) {
    const status = await sub();
    if (status === grpc.status.CANCELLED) return status;
    say("end", status);
    await sleep(BACK_OFF_MS);
  }
}

function version() {
  return new Promise((resolve) => {
    client(falco.version.service).version({}, (error, answer) => {
      if (error) process.stderr.write(`${error.message}\n`);
      else say("version", answer.version);
      resolve(error?.code ?? grpc.status.OK);
    });
  });
}

const modes = {
  version,
  get: () => statusOf(client(falco.outputs.service).get({})),
  sub,
  "outputs-watch": sub,
  idle: () => sub({ deadline: Date.now() + 300 }),
  watch,
  subscribe: () => statusOf(client(falco.output.service).subscribe({})),
  "subscribe-keepalive": () =>
    statusOf(client(falco.output.service).subscribe({ keepalive: true }), wanted),
};
say("status", await modes[mode]());
process.exit(0);
