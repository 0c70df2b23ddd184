/** What `falco.outputs.service/sub` does. @module */
import { current, measured } from "./behaviour.ts";
import type { RunnableBehaviour } from "./behaviour.ts";
import { GARBAGE } from "./contract_call.ts";
import type { ContractCall } from "./contract_call.ts";
import type { ContractScene } from "./contract_scene.ts";
import { rules, SUB } from "./contract_scene.ts";
import { same } from "./difference.ts";

const common = { section: "sub", minors: current, source: measured } as const;

/** That nothing whatever has come on a call. */
async function insistOnSilence(scene: ContractScene, call: ContractCall): Promise<void> {
  await scene.quiet();
  same("events", call.events, []);
}

/** Checks that alerts are raised for. */
const pulling: readonly RunnableBehaviour[] = [
  {
    ...common,
    name: "sub sends nothing without a request",
    check: "three alerts are queued, sub is opened; the alerts must come after the first request",
    needs: ["push"],
    async run(scene) {
      await scene.push(...rules(1, 3));
      const client = scene.dial();
      const call = await client.call(SUB);
      await scene.quiet(client);
      same("events before the first request", call.events, []);
      call.request();
      same("alerts", await call.rules(3), rules(1, 3));
    },
  },
  {
    ...common,
    name: "a request drains the queue, then nothing comes until the next one",
    check: "alerts are raised after a drain; they must come with the next request and not before",
    needs: ["push"],
    async run(scene) {
      await scene.push(...rules(1, 5));
      const client = scene.dial();
      const call = await client.call(SUB);
      call.request();
      same("alerts", await call.rules(5), rules(1, 5));
      await scene.push(...rules(6, 8));
      await scene.quiet(client);
      same("alerts without a request", call.here(), []);
      call.request();
      same("alerts of the next request", await call.rules(3), rules(6, 8));
    },
  },
  {
    ...common,
    name: "requests that find the queue empty are not banked",
    check: "three requests, then two alerts: nothing may come until the fourth request",
    needs: ["push"],
    async run(scene) {
      const client = scene.dial();
      const call = await client.call(SUB);
      for (let count = 0; count < 3; count++) call.request();
      await scene.quiet(client);
      await scene.push(...rules(1, 2));
      await scene.quiet(client);
      same("events", call.events, []);
      call.request();
      same("alerts", await call.rules(2), rules(1, 2));
    },
  },
  {
    ...common,
    name: "requests sent together are read one by one, and none is banked",
    check: "50 requests for five alerts; another alert must not come by itself",
    needs: ["push"],
    async run(scene) {
      await scene.push(...rules(1, 5));
      const client = scene.dial();
      const call = await client.call(SUB);
      for (let count = 0; count < 50; count++) call.request();
      same("alerts", await call.rules(5), rules(1, 5));
      await scene.quiet(client);
      await scene.push(...rules(6));
      await scene.quiet(client);
      same("alerts without a request", call.here(), []);
      same("the queue", await scene.drain(), rules(6));
    },
  },
  {
    ...common,
    name: "response headers come with the first alert",
    check: "a request on an empty queue; headers may come with an alert only",
    needs: ["push"],
    async run(scene) {
      const client = scene.dial();
      const call = await client.call(SUB);
      call.request();
      await scene.quiet(client);
      same("events on an empty queue", call.events, []);
      await scene.push(...rules(1));
      call.request();
      await call.messages(1);
      await scene.quiet(client);
      // Some runtimes tell of headers after the message that came along with them.
      same("events", call.events.toSorted(), ["headers", "message"]);
      const { ":status": status, "content-type": type, "grpc-encoding": encoding } = call.headers!;
      const accept = call.headers!["grpc-accept-encoding"];
      same("headers", [status, type, accept, encoding ?? "identity"], [
        200,
        "application/grpc",
        "identity, deflate, gzip",
        "identity",
      ]);
    },
  },
  {
    ...common,
    name: "alerts from before the connection come first, in order",
    check: "a thousand alerts are queued, then a client connects and asks",
    needs: ["push"],
    async run(scene) {
      await scene.push(...rules(1, 1000));
      const call = await scene.dial().call(SUB);
      call.request();
      same("alerts", await call.rules(1000), rules(1, 1000));
    },
  },
  {
    ...common,
    name: "two subs compete: who asks first gets all that is queued",
    check: "two clients, twenty alerts, the first asks; then three, the second asks",
    needs: ["push"],
    async run(scene) {
      const [first, second] = [scene.dial(), scene.dial()];
      const [one, two] = [await first.call(SUB), await second.call(SUB)];
      // Both are there before there is anything to have.
      await scene.quiet(first);
      await scene.quiet(second);
      await scene.push(...rules(1, 20));
      one.request();
      same("alerts of the first", await one.rules(20), rules(1, 20));
      two.request();
      await scene.quiet();
      same("alerts of the second", two.here(), []);
      await scene.push(...rules(21, 23));
      two.request();
      same("alerts of the second", await two.rules(3), rules(21, 23));
      same("alerts of the first", one.here(), []);
    },
  },
  {
    ...common,
    name: "cancelling an idle sub loses nothing",
    check: "a sub that has asked is cancelled, alerts are raised: get must find them",
    source: "read in the source of 0.43.1",
    needs: ["push"],
    async run(scene) {
      const client = scene.dial();
      const call = await client.call(SUB);
      call.request();
      await scene.quiet(client);
      call.cancel();
      await scene.quiet(client);
      await scene.push(...rules(1, 3));
      same("the queue", await scene.drain(), rules(1, 3));
    },
  },
  {
    ...common,
    name: "a half-closed sub delivers what is queued, then hangs",
    check: "a request and half-close; alerts must come, and no status",
    needs: ["push"],
    async run(scene) {
      await scene.push(...rules(1, 3));
      const client = scene.dial();
      const call = await client.ask(SUB);
      same("alerts", await call.rules(3), rules(1, 3));
      await scene.quiet(client);
      await scene.push(...rules(4));
      await scene.quiet(client);
      same("alerts, status and end", [call.here(), call.status, call.ended], [
        [],
        undefined,
        false,
      ]);
      same("the queue", await scene.drain(), rules(4));
    },
  },
  {
    ...common,
    name: "a later request that cannot be decoded silences sub",
    check: "a good request, then bytes that are no message, then a good one: no answer to either",
    needs: ["push"],
    async run(scene) {
      await scene.push(...rules(1));
      const client = scene.dial();
      const call = await client.call(SUB);
      call.request();
      same("alerts", await call.rules(1), rules(1));
      call.request(GARBAGE);
      call.request();
      await scene.push(...rules(2));
      await scene.quiet(client);
      same("alerts, status and end", [call.here(), call.status, call.ended], [
        [],
        undefined,
        false,
      ]);
      same("the queue", await scene.drain(), rules(2));
    },
  },
  {
    ...common,
    name: "unknown fields in a request are skipped",
    check: "a request with `keepalive`, as clients before 0.24 sent it, drains the queue",
    needs: ["push"],
    async run(scene) {
      await scene.push(...rules(1, 2));
      const call = await scene.dial().call(SUB);
      call.request(new Uint8Array([0x08, 0x01]));
      same("alerts", await call.rules(2), rules(1, 2));
    },
  },
];

/** Checks that take nothing. */
const silent: readonly RunnableBehaviour[] = [
  {
    ...common,
    name: "a sub that is opened has no answer, not even headers",
    check: "sub is opened, nothing is sent",
    needs: [],
    async run(scene) {
      await insistOnSilence(scene, await scene.dial().call(SUB));
    },
  },
  {
    ...common,
    name: "half-close without a request hangs",
    check: "sub is opened and half-closed: no status may come",
    needs: [],
    async run(scene) {
      const call = await scene.dial().call(SUB);
      call.halfClose();
      await insistOnSilence(scene, call);
    },
  },
  {
    ...common,
    name: "a first request that cannot be decoded hangs",
    check: "bytes that are no message: no status may come",
    needs: [],
    async run(scene) {
      const call = await scene.dial().call(SUB);
      call.request(GARBAGE);
      await insistOnSilence(scene, call);
    },
  },
];

/** All of them. */
export const subBehaviours: readonly RunnableBehaviour[] = [...silent, ...pulling];
