/** Clients of fakes that go wrong. */
import { test } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import type { Fault } from "../harness/faults/fault.ts";
import { connect } from "../lib/client/connect.ts";
import type { ConnectOptions } from "../lib/client/connect.ts";
import { wires } from "./client_probes.ts";
import type { Pair } from "./client_probes.ts";
import { withPlace } from "./own_port.ts";

/** Runs a test on each wire. At the end nothing must be open any more, not even a timer. */
export function testFaults(
  name: string,
  faults: readonly Fault[],
  run: (pair: Pair) => Promise<void>,
  options: ConnectOptions = {},
): void {
  for (const wire of wires) {
    test(`${name}, over ${wire.name}`, () =>
      withPlace(wire, async (place) => {
        const clock = new FakeClock(1000);
        const fake = await FakeFalco.start({ tls: wire.tls, faults, clock, ...place });
        // The clock is moved by minutes: back-off is to see that, attempts to connect are not.
        const falco = connect(fake.address, {
          tls: fake.credentials,
          clock,
          connectTimeoutMs: 1e9,
          ...options,
        });
        try {
          await run({ fake, falco, clock });
        } finally {
          await falco.close();
          await fake[Symbol.asyncDispose]();
        }
        if (clock.pending > 0) throw new Error(`${clock.pending} timers are left`);
      }));
  }
}

/** Puts alerts `r0`, `r1` and so on into a fake. */
export function push(fake: FakeFalco, from: number, to: number): void {
  for (let index = from; index < to; index++) fake.push(buildAlert({ rule: `r${index}` }));
}

/** Their rules. */
export function rules(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `r${from + index}`);
}
