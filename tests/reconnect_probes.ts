/** Falcos that go and come back, and what a subscription says of it. @module */
import assert from "node:assert/strict";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { connect } from "../lib/client/connect.ts";
import type { FalcoClient } from "../lib/client/connect.ts";
import type { Status } from "../lib/client/status.ts";
import type { Subscription } from "../lib/client/subscription.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import { isHangUp } from "../lib/transport/connection_error.ts";
import { testWays } from "./client_probes.ts";
import { withPlace } from "./own_port.ts";
import { settled } from "./stream_probes.ts";
import { until } from "./waits.ts";

/** Everything that a subscription has told so far. */
export class Story {
  readonly all: Status[] = [];
  /** Resolves once the subscription is over. */
  readonly told: Promise<void>;

  constructor(alerts: Subscription) {
    this.told = (async () => {
      for await (const status of alerts.status()) this.all.push(status);
    })();
  }

  /** The types alone. */
  get types(): string {
    return this.all.map(({ type }) => type).join(" ");
  }

  of<T extends Status["type"]>(type: T): Extract<Status, { type: T }>[] {
    return this.all.filter((status): status is Extract<Status, { type: T }> =>
      status.type === type
    );
  }

  /** Waits until it has been told for the nth time, and gives it. */
  async nth<T extends Status["type"]>(type: T, n: number): Promise<Extract<Status, { type: T }>> {
    await until(`"${type}" number ${n} after ${this.types}`, () => this.of(type).length >= n);
    return this.of(type)[n - 1]!;
  }
}

/** An address where Falcos come and go. */
export interface Place {
  readonly clock: FakeClock;
  readonly falco: FalcoClient;
  /** Starts a Falco there, which must not be one already. */
  start(): Promise<FakeFalco>;
}

/** Runs a test on each wire, with each transport, with an address at which no Falco is yet. */
export function testAtPlace(name: string, run: (place: Place) => Promise<void>): void {
  testWays(name, ({ transport, wire }) =>
    withPlace(wire, async (place) => {
      const first = await FakeFalco.start({ tls: wire.tls, ...place });
      const { address, credentials: tls } = first;
      await first.kill();
      const all = [first];
      const clock = new FakeClock(1000);
      // The clock is moved by minutes: back-off is to see that, attempts to connect are not.
      const falco = connect(address, { tls, clock, transport, connectTimeoutMs: 1e9 });
      try {
        await run({
          clock,
          falco,
          async start() {
            const fake = await FakeFalco.start({ listen: address, tls: wire.tls });
            all.push(fake);
            return fake;
          },
        });
      } finally {
        await falco.close();
        for (const fake of all.reverse()) await fake[Symbol.asyncDispose]();
      }
      assert.equal(clock.pending, 0);
    }));
}

/**
 * Makes sure that all attempts but the first of a story failed because nobody was there. A server
 * that is being killed may still take a connection, and then hangs up without a word.
 */
export function assertNobodyThere(story: Story): void {
  for (const { error } of story.of("reconnecting").slice(1)) {
    assert(error instanceof FalcoConnectError, String(error));
    assert(error.reason === "refused" || isHangUp(error.cause), error.message);
  }
}

/** Lets the back-off that a status speaks of pass, to the millisecond. */
export async function passBackoff(
  clock: FakeClock,
  status: Extract<Status, { type: "reconnecting" }>,
): Promise<void> {
  await settled();
  assert.equal(clock.pending, 1);
  clock.advance(status.delayMs - 1);
  await settled();
  assert.equal(clock.pending, 1);
  clock.advance(1);
}

/** Lets any back-off pass until something is settled. */
export async function passAll<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  let over = false;
  const settle = (): void => void (over = true);
  promise.then(settle, settle);
  await until("it is settled", () => {
    if (!over) clock.advance(100);
    return over;
  });
  return await promise;
}
