/** All deliberate breaks. @module */
import { alertBreaks } from "./alert_breaks.ts";
import type { Break } from "./break.ts";
import { cliBreaks } from "./cli_breaks.ts";
import { clientBreaks } from "./client_breaks.ts";
import { edgesBreaks } from "./edges_breaks.ts";
import { gatewayBreaks } from "./gateway_breaks.ts";
import { harnessBreaks } from "./harness_breaks.ts";
import { streamsBreaks } from "./streams_breaks.ts";

/** By room; each of them has to be noticed. */
export const breaks: readonly Break[] = [
  ...alertBreaks,
  ...clientBreaks,
  ...streamsBreaks,
  ...edgesBreaks,
  ...harnessBreaks,
  ...gatewayBreaks,
  ...cliBreaks,
];
