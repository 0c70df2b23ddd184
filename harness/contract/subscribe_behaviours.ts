/** What `falco.output.service/subscribe` of 0.18 to 0.23 does. @module */
import { legacy } from "./behaviour.ts";
import type { RunnableBehaviour } from "./behaviour.ts";
import { GARBAGE } from "./contract_call.ts";
import type { ContractCall } from "./contract_call.ts";
import type { ContractClient } from "./contract_client.ts";
import { rules, SUBSCRIBE } from "./contract_scene.ts";
import type { ContractScene } from "./contract_scene.ts";
import { same } from "./difference.ts";
import { insistOnTrailersOnly } from "./trailers_only.ts";

const common = {
  section: "subscribe",
  minors: legacy,
  source: "read in the source of 0.23.0",
  needs: ["push"],
} as const;

/** A request for alerts as they come. */
const KEEPALIVE = new Uint8Array([0x08, 0x01]);

/** Falco's busy loop does not notice a cancel: a call that is gone takes one more alert with it. */
async function leave(
  scene: ContractScene,
  client: ContractClient,
  call: ContractCall,
): Promise<void> {
  call.cancel();
  await scene.quiet(client); // Falco knows of it then
  await scene.push("lost");
  await scene.quiet(client);
}

/** All of them. */
export const subscribeBehaviours: readonly RunnableBehaviour[] = [
  {
    ...common,
    name: "subscribe without keepalive drains the queue and ends with OK",
    check: "three alerts are queued; a second call finds nothing",
    async run(scene) {
      await scene.push(...rules(1, 3));
      same("the queue", await scene.drain(), rules(1, 3));
      same("the queue afterwards", await scene.drain(), []);
    },
  },
  {
    ...common,
    name: "subscribe with keepalive stays and pushes alerts as they come",
    check: "alerts are raised one by one, without further requests",
    async run(scene) {
      const client = scene.dial();
      const call = await client.ask(SUBSCRIBE, KEEPALIVE);
      await scene.quiet(client);
      for (const rule of rules(1, 4)) {
        await scene.push(rule);
        same("the alert", await call.rules(1), [rule]);
      }
      await scene.quiet(client);
      same("end", call.ended, false);
      await leave(scene, client, call);
    },
  },
  {
    ...common,
    name: "subscribe with keepalive loses every other alert of a backlog",
    check: "six alerts are queued before the call",
    async run(scene) {
      await scene.push(...rules(1, 6));
      const client = scene.dial();
      const call = await client.ask(SUBSCRIBE, KEEPALIVE);
      same("alerts", await call.rules(3), ["a2", "a4", "a6"]);
      await scene.quiet(client);
      same("further alerts", call.here(), []);
      await leave(scene, client, call);
    },
  },
  {
    ...common,
    name: "subscribe refuses a request that it cannot decode",
    check: "bytes that are no message: status 13 and its words",
    needs: [],
    async run(scene) {
      const call = await scene.dial().ask(SUBSCRIBE, GARBAGE);
      await call.end();
      insistOnTrailersOnly(call, 13, "Unable to parse request");
    },
  },
];
