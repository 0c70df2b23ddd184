/** How many calls are served at once. @module */
import { current, measured } from "./behaviour.ts";
import type { RunnableBehaviour } from "./behaviour.ts";
import type { ContractCall } from "./contract_call.ts";
import { rules, SUB, VERSION } from "./contract_scene.ts";
import { same } from "./difference.ts";

const common = { section: "slots", minors: current, source: measured } as const;

/** All of them. */
export const slotBehaviours: readonly RunnableBehaviour[] = [
  {
    ...common,
    name: "threadiness * 10 subs are served at once, more wait in silence for one to end",
    check: "one more than that many subs; it is served once another is cancelled",
    needs: ["push", "threadiness"],
    async run(scene) {
      const client = scene.dial();
      const calls: ContractCall[] = [];
      for (let index = 0; index < scene.threadiness * 10; index++) {
        const call = await client.call(SUB);
        await scene.push(...rules(index));
        call.request();
        same(`alerts of sub ${index}`, await call.rules(1), rules(index));
        calls.push(call);
      }
      const more = await client.call(SUB);
      await scene.push("waits");
      more.request();
      await scene.quiet(client);
      same("events of one more", more.events, []);
      calls[0]!.cancel();
      same("alerts of one more, in the place of another", await more.rules(1), ["waits"]);
    },
  },
  {
    ...common,
    name: "subs that wait for their turn do not hinder version",
    check: "twice as many subs as are served, on one connection, then version",
    needs: ["push", "threadiness"],
    async run(scene) {
      const client = scene.dial();
      for (let index = 0; index < scene.threadiness * 20; index++) await client.call(SUB);
      same("status", await (await client.ask(VERSION)).end(), 0);
    },
  },
];
