/** A restart that strikes during another one leaves one server, and nothing open in the end. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { FakeClock } from "../../harness/fake_clock.ts";
import { FakeFalco } from "../../harness/fake_falco.ts";
import { connect } from "../../lib/client/connect.ts";

for (const tls of [false, true]) {
  Deno.test({
    name: `FakeFalco survives two restarts at once over ${tls ? "TLS" : "a unix socket"}`,
    sanitizeResources: true,
    sanitizeOps: true,
    async fn() {
      const clock = new FakeClock();
      const fake = await FakeFalco.start({ tls, clock });
      const falco = connect(fake.address, { tls: fake.credentials });
      assert.equal((await falco.version()).version, "0.43.1");
      await falco.close();
      fake.inject({ type: "restart", downMs: 100 });
      fake.inject({ type: "restart", downMs: 100 });
      // What is under way is what this waits for; each restart waits in its turn.
      let over = false;
      const restarted = fake.reload().finally(() => over = true);
      while (!over) {
        clock.advance(100);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await restarted;
      const again = connect(fake.address, { tls: fake.credentials });
      assert.equal((await again.version()).version, "0.43.1");
      await again.close();
      await fake.kill();
      await fake[Symbol.asyncDispose]();
    },
  });
}
