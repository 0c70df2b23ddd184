/** Where a gateway is not like Falco on the wire: the contract suite, with every difference listed. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { startGateway } from "../gateway/mod.ts";
import type { GatewayListenerConfig } from "../gateway/mod.ts";
import { contractBehaviours, runContract } from "../harness/contract/run_contract.ts";
import type { ContractResult } from "../harness/contract/run_contract.ts";
import type { ContractBehaviour } from "../harness/contract/behaviour.ts";
import type { ContractTarget } from "../harness/contract/contract_target.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { credentials, serverTls, wires } from "./gateway_probes.ts";

type Wire = (typeof wires)[number];

/** What is said about 0.43, which the gateway says it is. */
const current = contractBehaviours.filter(({ minors: [from, to] }) => from <= 43 && to >= 43);

/** What came of some behaviours, each as `SECTION: NAME`. */
interface Outcome {
  /** With what was seen instead. */
  readonly differs: (readonly [name: string, detail: string])[];
  readonly agrees: string[];
}

/** Runs the suite, or a part of it, against a gateway of its own; alerts come as lines of JSON. */
async function outcomeOf(
  wire: Wire,
  delivery: Pick<GatewayListenerConfig, "delivery" | "replay">,
  behaviours: readonly ContractBehaviour[] = current,
  timeoutMs = 5000,
): Promise<Outcome> {
  const folder = await makeTempFolder();
  const lines = new TransformStream<Uint8Array, Uint8Array>();
  const writer = lines.writable.getWriter();
  const place = wire === "unix"
    ? { address: `unix://${folder.path}/gateway.sock` }
    : { address: "localhost:0", tls: serverTls };
  const gateway = await startGateway({
    version: 1,
    sources: [{ name: "lines", type: "stdin", maxLineBytes: 16 * 1024 * 1024 }],
    listeners: [{ name: "out", ...place, ...delivery }],
    drainMs: 0,
  }, { stdin: lines.readable });
  try {
    let pushed = 0;
    const target: ContractTarget = {
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
    };
    const results: ContractResult[] = [];
    for (const isStop of [false, true]) {
      const wanted = behaviours.filter(({ section }) => (section === "stop") === isStop);
      if (wanted.length === 0) continue;
      const report = await runContract(target, {
        // A stop lets clients say goodbye for a second: what waits until it is over waits longer.
        quietMs: isStop ? 2000 : 50,
        timeoutMs,
        filter: (behaviour) => wanted.includes(behaviour),
      });
      results.push(...report.results);
    }
    const of = (outcome: string) => results.filter((result) => result.outcome === outcome);
    return {
      differs: of("differs").map((result) => [nameOf(result), result.detail]),
      agrees: of("agrees").map(nameOf),
    };
  } finally {
    await gateway.close();
    await writer.abort().catch(() => {});
    await folder.remove();
  }
}

function nameOf({ behaviour }: { behaviour: { section: string; name: string } }): string {
  return `${behaviour.section}: ${behaviour.name}`;
}

/**
 * Runs what is known to differ against a gateway for each, all side by side: most of it waits for
 * what never comes, which is not waited for long. The rest, meanwhile, shares gateways as given.
 *
 * @param known Names of what differs.
 * @param groups The rest: what can share a gateway is a group.
 */
async function outcomeBeside(
  wire: Wire,
  delivery: Pick<GatewayListenerConfig, "delivery" | "replay">,
  known: readonly string[],
  groups: (rest: readonly ContractBehaviour[]) => readonly (readonly ContractBehaviour[])[],
): Promise<Outcome> {
  const isKnown = (behaviour: ContractBehaviour): boolean => known.includes(nameOf({ behaviour }));
  const one = (behaviour: ContractBehaviour) => outcomeOf(wire, delivery, [behaviour], 1500);
  const oneAfterTheOther = async (): Promise<Outcome[]> => {
    const outcomes: Outcome[] = [];
    for (const group of groups(current.filter((behaviour) => !isKnown(behaviour)))) {
      outcomes.push(await outcomeOf(wire, delivery, group));
    }
    return outcomes;
  };
  const all = await Promise.all([oneAfterTheOther(), ...current.filter(isKnown).map(one)]);
  return {
    differs: all.flat().flatMap(({ differs }) => differs),
    agrees: all.flat().flatMap(({ agrees }) => agrees),
  };
}

/** All in a gateway of its own: `fanout` keeps what was there before. */
async function fanoutOutcome(
  wire: Wire,
  replay: GatewayListenerConfig["replay"],
  known: readonly string[],
): Promise<Outcome> {
  const config = { delivery: "fanout", ...(replay === undefined ? {} : { replay }) } as const;
  return await outcomeBeside(wire, config, known, (rest) => rest.map((behaviour) => [behaviour]));
}

/** Meant, and in docs/gateway.md: such an alert would end the streams of all; a stop has a deadline. */
const meant = [
  "alerts: alerts above 4 MiB are sent, in one message and not compressed",
  "stop: a stop waits for an idle sub, and ends it with OK at its next request",
];

/** What is left of Falco's one queue with `fanout`: each looks at what others find in it afterwards. */
const noSharing = [
  "get: get and sub share one queue",
  "sub: requests sent together are read one by one, and none is banked",
  "sub: two subs compete: who asks first gets all that is queued",
  "sub: a half-closed sub delivers what is queued, then hangs",
  "sub: a later request that cannot be decoded silences sub",
];

/** Without a window besides: each begins with alerts from before the client was there. */
const nothingFromBefore = [
  "get: get drains the queue in order and ends with OK",
  "get: get does not wait for the client's half-close",
  "sub: sub sends nothing without a request",
  "sub: a request drains the queue, then nothing comes until the next one",
  "sub: alerts from before the connection come first, in order",
  "sub: cancelling an idle sub loses nothing",
  "sub: unknown fields in a request are skipped",
  "alerts: an alert has the fields of its time",
  "alerts: what is zero is not on the wire: priority emergency, source syscall",
  "alerts: priorities are 0 for emergency to 7 for debug",
  "alerts: the time keeps its nanoseconds",
  "alerts: every value of output_fields is text, an absent one <NA>",
  "alerts: up to 0.38 the time of the text is in output_fields, later not",
  "alerts: source is a name since 0.31, with the number 3 beside it for plugins",
];

for (const wire of wires) {
  it(`a gateway with delivery shared over ${wire} is like Falco, but for what is listed`, async () => {
    const { differs, agrees } = await outcomeBeside(
      wire,
      { delivery: "shared" },
      meant,
      (rest) => [rest],
    );
    assert.deepEqual(new Set(namesOf(differs)), new Set(meant));
    assert(agrees.length > 30, `${agrees.length}`);
  });

  it(`one with fanout and a window over ${wire} is, but for having no queue for all`, async () => {
    const known = [...noSharing, ...meant];
    const { differs, agrees } = await fanoutOutcome(wire, { alerts: 8192 }, known);
    assert.deepEqual(new Set(namesOf(differs)), new Set(known));
    assert(agrees.length > 35, `${agrees.length}`);
    // The wire itself is right in each: what differs is what somebody else gets in the end.
    const details = new Map(differs);
    for (const name of [noSharing[1]!, noSharing[3]!, noSharing[4]!]) {
      assert.match(details.get(name)!, /^the queue: \["a1",.*\] instead of \["a\d"\]$/, name);
    }
    assert.match(details.get(noSharing[0]!)!, /^alerts of sub: \["a1",.*\] instead of \[\]$/);
    assert.match(
      details.get(noSharing[2]!)!,
      /^alerts of the second: \["a1",.*\] instead of \[\]$/,
    );
  });
}

it("one with fanout and no window besides gives nothing from before a client came", async () => {
  const known = [...noSharing, ...nothingFromBefore, ...meant];
  const { differs, agrees } = await fanoutOutcome("unix", undefined, known);
  assert.deepEqual(new Set(namesOf(differs)), new Set(known));
  assert(agrees.length > 20, `${agrees.length}`);
});

function namesOf(differs: Outcome["differs"]): string[] {
  return differs.map(([name]) => name);
}
