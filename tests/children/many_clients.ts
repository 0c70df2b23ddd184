/**
 * Makes, uses and closes one client after the other, and says what is left of them. `argv[2]` is how
 * many, `argv[3]` the transport, `argv[4]` whether over TLS.
 */
import { getEventListeners } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import process from "node:process";
import { buildAlert } from "../../harness/build_alert.ts";
import { FakeClock } from "../../harness/fake_clock.ts";
import { FakeFalco } from "../../harness/fake_falco.ts";
import { connect } from "../../lib/client/connect.ts";
import { until } from "../waits.ts";

const [rounds, transport, tls] = process.argv.slice(2);
const fake = await FakeFalco.start({ tls: tls === "true" });
const clock = new FakeClock(1000);
const { signal } = new AbortController();

const DESCRIPTORS = "/proc/self/fd";
/** How many files and sockets this process has open; 0 where that cannot be known. */
const openDescriptors = (): number => existsSync(DESCRIPTORS) ? readdirSync(DESCRIPTORS).length : 0;
const processListeners = (): number =>
  process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);

async function useOnce(round: number): Promise<void> {
  const falco = connect(fake.address, {
    tls: fake.credentials,
    clock,
    transport: transport as "own" | "stock",
  });
  fake.push(buildAlert({ rule: `rule ${round}` }));
  const alerts = falco.outputs.subscribe({ signal });
  const reading = alerts.values();
  const { value } = await reading.next();
  if (value?.rule !== `rule ${round}`) throw new Error(`"${value?.rule}" in round ${round}`);
  const next = reading.next();
  if (round % 2 === 0) await alerts.close();
  await falco.close();
  if (!(await next).done) throw new Error("it goes on after its end");
}

const closed = (): boolean => fake.connections === 0;
// After some rounds, everything that is opened only once is open.
for (let round = 0; round < 20; round++) await useOnce(round);
await until("the first connections are closed", closed);
const descriptors = openDescriptors();
const listeners = processListeners();
for (let round = 0; round < Number(rounds); round++) await useOnce(round);
await until("all connections are closed", closed);
console.log(JSON.stringify({
  descriptors: openDescriptors() - descriptors,
  listeners: processListeners() - listeners,
  signalListeners: getEventListeners(signal, "abort").length,
  timers: clock.pending,
}));
await fake.stop();
