/** Where a gateway is not like Falco on the wire: the contract suite, with every difference listed. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { startGateway } from "../gateway/mod.ts";
import { runContract } from "../harness/contract/run_contract.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { credentials, serverTls, wires } from "./gateway_probes.ts";

/** Runs the suite; alerts come as lines of JSON. */
async function differencesOf(
  wire: (typeof wires)[number],
): Promise<{ differs: string[]; agrees: number }> {
  const folder = await makeTempFolder();
  const lines = new TransformStream<Uint8Array, Uint8Array>();
  const writer = lines.writable.getWriter();
  const place = wire === "unix"
    ? { address: `unix://${folder.path}/gateway.sock` }
    : { address: "localhost:0", tls: serverTls };
  const gateway = await startGateway({
    version: 1,
    sources: [{ name: "lines", type: "stdin", maxLineBytes: 16 * 1024 * 1024 }],
    listeners: [{ name: "out", ...place, delivery: "shared" }],
    drainMs: 0,
  }, { stdin: lines.readable });
  try {
    let pushed = 0;
    const report = await runContract({
      address: gateway.addresses.get("out")!,
      credentials: wire === "unix" ? undefined : credentials,
      async push(...alerts: readonly Alert[]) {
        const text = alerts.map((alert) => `${formatAlert(alert)}\n`).join("");
        await writer.write(new TextEncoder().encode(text));
        pushed += alerts.length;
        const received = `source_received_total{source="lines"} ${pushed}\n`;
        while (!gateway.metrics().includes(received)) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      },
      stop: () => gateway.close(),
    }, { quietMs: 50, timeoutMs: 2000 });
    const of = (outcome: string) => report.results.filter((result) => result.outcome === outcome);
    return {
      differs: of("differs").map(({ behaviour }) => `${behaviour.section}: ${behaviour.name}`),
      agrees: of("agrees").length,
    };
  } finally {
    await gateway.close();
    await writer.abort().catch(() => {});
    await folder.remove();
  }
}

/** Meant, and in docs/gateway.md: such an alert would end the streams of all; a stop has a deadline. */
const meant = [
  "alerts: alerts above 4 MiB are sent, in one message and not compressed",
  "stop: a stop waits for an idle sub, and ends it with OK at its next request",
];

// With fanout the suite has nothing to say: it asks for one queue throughout.
for (const wire of wires) {
  it(`a gateway with delivery shared over ${wire} is like Falco, but for what is listed`, async () => {
    const { differs, agrees } = await differencesOf(wire);
    assert.deepEqual(differs, meant);
    assert(agrees > 30, `${agrees}`);
  });
}
