/**
 * On Bun: alerts from a Falco to an endpoint that `Bun.serve` serves.
 *
 *     bun add @falco-streams/core && bun 10_on_bun.ts
 */
import { connect, parseAlert, WebhookSink } from "@falco-streams/core";
import { FakeFalco, scenarios } from "@falco-streams/core/harness";

/** What is used of Bun here; a project of yours has its types from `@types/bun`. */
declare const Bun: {
  serve(options: {
    port: number;
    hostname: string;
    fetch(request: Request): Promise<Response>;
  }): { readonly url: URL; stop(): Promise<void> };
};

const rules = new Map<string, number>();
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    const { rule } = parseAlert(await request.text());
    rules.set(rule, (rules.get(rule) ?? 0) + 1);
    return new Response();
  },
});

const fake = await FakeFalco.start();
await fake.replay(scenarios.credentialTheft);
const falco = connect(fake.address);
const sink = new WebhookSink(server.url);
await falco.outputs.get().pipeTo(sink);

for (const [rule, count] of [...rules].sort()) console.log(count, JSON.stringify(rule));
console.log(`${sink.stats().delivered} alerts delivered`);
await falco.close();
await fake.stop();
await server.stop();
