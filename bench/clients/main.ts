/** `deno task bench-clients`: this client beside the others of Falco's gRPC. @module */
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { parseArgs } from "node:util";
import { measureLatency } from "./latency.ts";
import { Rig } from "./rig.ts";
import type { Rival, Wire } from "./rig.ts";
import { measureThroughput } from "./throughput.ts";

const USAGE = `Usage: deno task bench-clients [OPTION...]

Measures outputs.get() and subscriptions of this client, connect-node, grpc-js,
falcosecurity/client-go and grpcio side by side against one server, a grpc-go
server that replays encoded alerts. Needs go; leaves out runtimes that are not there.

  --count N       alerts a run of get (default 500000)
  --rounds N      rounds, each with every client once (default 3)
  --only TEXT     only clients whose name has TEXT in it, beside client-go; several times
  --wire WIRE     unix or mtls (default both)
  --part PART     get or latency (default both)
  --node, --bun, --python COMMAND
                  how to call them (default node, bun, python3)
  --json FILE     writes every single measurement to FILE
`;

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "500000" },
    rounds: { type: "string", default: "3" },
    only: { type: "string", multiple: true, default: [] },
    wire: { type: "string", multiple: true, default: ["unix", "mtls"] },
    part: { type: "string", multiple: true, default: ["get", "latency"] },
    node: { type: "string", default: "node" },
    bun: { type: "string", default: "bun" },
    python: { type: "string", default: "python3" },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (values.help) {
  process.stdout.write(USAGE);
} else {
  const { node, bun, python } = values;
  const rig = await Rig.start({ node, bun, python });
  try {
    const asked = ({ name }: Rival) =>
      values.only.length === 0 || name === "client-go" ||
      values.only.some((text) => name.includes(text));
    const rivals = rig.rivals.filter(asked);
    const results: Record<string, unknown> = { sample: rig.sample };
    const { alerts, meanBytes } = rig.sample;
    process.stdout.write(`${alerts} distinct alerts of ${meanBytes} bytes and 20 fields\n\n`);
    if (values.part.includes("get")) {
      for (const wire of values.wire as Wire[]) {
        const plan = { wire, count: Number(values.count), rounds: Number(values.rounds) };
        results[`get ${wire}`] = await measureThroughput(rig, rivals, plan);
      }
    }
    if (values.part.includes("latency")) results["latency"] = await measureLatency(rig, rivals);
    if (values.json !== undefined) {
      await writeFile(values.json, JSON.stringify(results, null, 1) + "\n");
    }
  } finally {
    await rig.close();
  }
}
