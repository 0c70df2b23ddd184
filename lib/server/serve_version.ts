/** `falco.version.service/version`. @module */
import { onSingleRequest } from "./method.ts";
import type { Method } from "./method.ts";

/** Says which Falco it is, always with OK, whatever other calls do. */
export const serveVersion: Method = (call, context) =>
  onSingleRequest(call, context, () => {
    call.write(context.versionMessage);
    call.finish(0);
    context.leave();
  });
