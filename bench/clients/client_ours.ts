/** This package, measured. @module */
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../../lib/client/connect.ts";
import { cpuMs, digestOf, measureGet, print, readCertificates, readTarget } from "./measure.ts";

const target = readTarget();
const falco = target.certs === ""
  ? connect(`unix://${target.socket}`)
  : connect(`https://localhost:${target.port}`, { tls: readCertificates(target.certs) });

if (target.watch > 0 || target.idleMs > 0) {
  const latenciesMs: number[] = [];
  const alerts = falco.outputs.subscribe();
  const cpu = cpuMs();
  const start = performance.now();
  const reading = (async () => {
    for await (const { time } of alerts) {
      const now = performance.timeOrigin + performance.now();
      latenciesMs.push(now - time.seconds * 1000 - time.nanos / 1e6);
      if (latenciesMs.length === target.watch) break;
    }
  })();
  print("ready");
  if (target.idleMs > 0) {
    await sleep(target.idleMs);
    await alerts.close();
  }
  await reading;
  print({ latenciesMs, wallMs: performance.now() - start, cpuMs: cpuMs() - cpu });
} else {
  await measureGet(async () => {
    let alerts = 0;
    let digest = 0;
    for await (const alert of falco.outputs.get()) {
      alerts++;
      digest += digestOf(alert);
    }
    return { alerts, digest };
  });
}
await falco.close();
