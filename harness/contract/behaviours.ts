/** The list of all behaviours. @module */
import { alertBehaviours } from "./alert_behaviours.ts";
import type { RunnableBehaviour } from "./behaviour.ts";
import { callBehaviours } from "./call_behaviours.ts";
import { connectionBehaviours } from "./connection_behaviours.ts";
import { getBehaviours, versionBehaviours } from "./get_behaviours.ts";
import { slotBehaviours } from "./slot_behaviours.ts";
import { stopBehaviours } from "./stop_behaviours.ts";
import { subBehaviours } from "./sub_behaviours.ts";
import { subscribeBehaviours } from "./subscribe_behaviours.ts";
import { tlsBehaviours } from "./tls_behaviours.ts";

/** In the order in which they are looked at: the target is stopped last. */
export const allBehaviours: readonly RunnableBehaviour[] = [
  ...versionBehaviours,
  ...callBehaviours,
  ...connectionBehaviours,
  ...tlsBehaviours,
  ...getBehaviours,
  ...subBehaviours,
  ...subscribeBehaviours,
  ...alertBehaviours,
  ...slotBehaviours,
  ...stopBehaviours,
];
