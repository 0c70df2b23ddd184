/** How a Falco ends. @module */
import { lstat } from "node:fs/promises";
import { current, legacy, measured } from "./behaviour.ts";
import type { RunnableBehaviour } from "./behaviour.ts";
import { rules, SUB, SUBSCRIBE } from "./contract_scene.ts";
import type { ContractScene } from "./contract_scene.ts";
import { insist, same } from "./difference.ts";

const common = { section: "stop", minors: current, source: measured } as const;

/** That new clients are turned away, and the socket's file is gone. */
async function insistOnClosedDoor(scene: ContractScene): Promise<void> {
  const { address } = scene;
  if (address.kind === "unix") {
    await scene.until("the socket file is gone", async () => {
      return await lstat(address.path).then(() => false, () => true);
    });
  }
  await scene.until("a new connection is refused", async () => {
    return await scene.dial().session().then(() => false, () => true);
  });
}

/** Opens a sub, has Falco leave, and sees it wait for the sub. */
async function leaveSlowly(scene: ContractScene, leave: () => Promise<void>): Promise<void> {
  const client = scene.dial();
  const call = await client.call(SUB);
  await scene.quiet(client);
  await scene.push(...rules(1, 2));
  let over = false;
  const left = leave().then(() => {
    over = true;
  });
  left.catch(() => {}); // if it fails after a difference was seen, that is what counts
  try {
    await scene.quiet();
    same("it is over before the idle sub", over, false);
    same("events of the sub", call.events, []);
    await insistOnClosedDoor(scene);
    same("it is over before the idle sub", over, false);
    call.request();
    same("the status of the sub", await call.end(), 0);
    same("alerts of the sub", call.here(), []);
  } finally {
    await scene.close();
    await scene.within("the end", left);
  }
}

/** All of them, in the order in which they have to be. */
export const stopBehaviours: readonly RunnableBehaviour[] = [
  {
    ...common,
    name:
      "a reload waits for an idle sub, ends it with OK at its next request, and keeps the queue",
    check:
      "sub is opened, two alerts are raised, reload; the request costs the first alert, the second is there afterwards",
    source: "measured on 0.43.1; that an alert is lost was read in its source",
    needs: ["push", "reload"],
    async run(scene) {
      await leaveSlowly(scene, () => scene.target.reload!());
      same("the queue afterwards", await scene.drain(), rules(2));
    },
  },
  {
    ...common,
    name: "a stop waits for an idle sub, and ends it with OK at its next request",
    check: "sub is opened, stop; no new connections, no socket file, then a request",
    needs: ["push", "stop"],
    async run(scene) {
      await leaveSlowly(scene, () => scene.target.stop!());
      await insistOnClosedDoor(scene);
    },
  },
  {
    ...common,
    name: "a stop ends waiting subscribers with OK",
    check: "subscribe with keepalive is open, stop",
    source: "read in the source of 0.23.0",
    minors: legacy,
    needs: ["stop"],
    async run(scene) {
      const client = scene.dial();
      const call = await client.ask(SUBSCRIBE, new Uint8Array([0x08, 0x01]));
      await scene.quiet(client);
      insist(!call.ended, "the call ended before");
      const stopped = scene.target.stop!();
      same("the status", await call.end(), 0);
      await scene.close();
      await scene.within("the end", stopped);
      await insistOnClosedDoor(scene);
    },
  },
];
