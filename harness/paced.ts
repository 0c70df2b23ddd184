/** Alerts at the pace of their times. @module */
import type { Alert } from "../lib/alert/alert.ts";
import { wait } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import { expandScenario } from "./expand_scenario.ts";
import type { ReplayOptions } from "./fake_falco_options.ts";
import type { Scenario } from "./scenario.ts";

/**
 * Hands out alerts when their time has come, counted from the first.
 *
 * @param alerts A scenario, or alerts in order.
 * @param options The speed, the clock to wait on, and what ends it.
 * @throws What `signal` gives as its reason.
 */
export async function* paced(
  alerts: Scenario | Iterable<Alert> | AsyncIterable<Alert>,
  options: Pick<ReplayOptions, "speed"> & { clock: Clock; signal: AbortSignal },
): AsyncGenerator<Alert> {
  const { speed = "max", clock, signal } = options;
  let last: number | undefined;
  for await (const alert of "alerts" in alerts ? expandScenario(alerts) : alerts) {
    signal.throwIfAborted();
    if (speed !== "max") {
      const at = alert.time.seconds * 1000 + alert.time.nanos / 1e6;
      const pauseMs = (at - (last ?? at)) / speed;
      // Times that go back are replayed without a pause.
      if (pauseMs > 0) await wait(pauseMs, { clock, signal });
      last = at;
    }
    yield alert;
  }
}
