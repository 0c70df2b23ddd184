/** How fast alerts get from the fake Falco to the client, both in this process. @module */
import { FakeFalco } from "../harness/fake_falco.ts";
import { expandScenario } from "../harness/expand_scenario.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { connect } from "../lib/client/connect.ts";
import type { Bench } from "./bench.ts";
import type { Rival } from "./compare.ts";

/** `get` and `subscribe` over a unix socket and over mutual TLS. */
export async function benchReplay(bench: Bench): Promise<void> {
  const count = bench.isQuick ? 500 : 20_000;
  const alerts = Object.values(scenarios).flatMap((scenario) => [...expandScenario(scenario)]);
  const queue = Array.from({ length: count }, (_, index) => alerts[index % alerts.length]!);
  const fakes = [
    { wire: "unix socket", fake: await FakeFalco.start({ tls: false }) },
    { wire: "mutual TLS", fake: await FakeFalco.start({ tls: true }) },
  ];
  const clients = fakes.map(({ wire, fake }) => ({
    wire,
    fake,
    falco: connect(fake.address, { tls: fake.credentials }),
  }));
  try {
    const rivals = clients.flatMap(({ wire, fake, falco }): Rival[] => [
      {
        name: `get, ${wire}`,
        async run() {
          fake.push(...queue);
          let digest = 0;
          for await (const { rule } of falco.outputs.get()) digest += rule.length;
          return { operations: count, digest };
        },
      },
      {
        name: `subscribe, ${wire}`,
        async run() {
          fake.push(...queue);
          let digest = 0;
          let received = 0;
          for await (const { rule } of falco.outputs.subscribe()) {
            digest += rule.length;
            if (++received === count) break;
          }
          return { operations: count, digest };
        },
      },
    ]);
    await bench.compare(
      "From push in the fake to the consumer, encoding and decoding included",
      rivals,
    );
  } finally {
    for (const { falco, fake } of clients) {
      await falco.close();
      await fake.stop();
    }
  }
}
