/** A Falco whose slots are all taken: it says nothing, and what that looks like is documented. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { connect } from "../lib/client/connect.ts";
import { callsOf, wires } from "./client_probes.ts";
import { Story } from "./reconnect_probes.ts";
import { until } from "./waits.ts";

for (const wire of wires) {
  test(`Subscription is open while it waits for a slot, and goes on with one, over ${wire.name}`, {
    timeout: 60_000,
  }, async () => {
    const fake = await FakeFalco.start({ tls: wire.tls, threadiness: 1 });
    const make = () => connect(fake.address, { tls: fake.credentials });
    const others = Array.from({ length: 10 }, make);
    const last = make();
    try {
      const readers = others.map((falco) => falco.outputs.subscribe().getReader());
      const reads = readers.map((reader) => reader.read());
      await until("ten are served", () => {
        const served = fake.requests.filter(({ requests, waiting }) => requests > 0 && !waiting);
        return served.length === 10;
      });
      const alerts = last.outputs.subscribe();
      const story = new Story(alerts);
      const reader = alerts.getReader();
      const first = reader.read();
      await story.nth("open", 1);
      await until("it waits", () => fake.requests.some(({ waiting }) => waiting));
      // Falco has slots for each method, so that it is there and tells its version says nothing.
      assert.equal((await last.version()).minor, 43);

      await Promise.all(readers.map((one) => one.cancel()));
      await Promise.all(reads);
      // A call whose end has not arrived yet would take the alert with it, as one of Falco's does.
      await until(
        "the ten have left",
        () => callsOf(fake, "sub").filter(({ open }) => open).length === 1,
      );
      fake.push(buildAlert({ rule: "for whoever is left" }));
      assert.equal((await first).value?.rule, "for whoever is left");
      assert.equal(story.types, "connecting open");
      await reader.cancel();
    } finally {
      await Promise.all([...others, last].map((falco) => falco.close()));
      await fake[Symbol.asyncDispose]();
    }
  });
}
