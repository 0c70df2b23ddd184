/** The methods of Falco's gRPC server. @module */

/** A method, by its path without the leading slash. Which of them there are depends on the Falco. */
export type FalcoMethod =
  /** Alerts, 0.18 to 0.23. */
  | "falco.output.service/subscribe"
  /** Alerts as they are asked for, since 0.24. */
  | "falco.outputs.service/sub"
  /** The queued alerts, since 0.24. */
  | "falco.outputs.service/get"
  /** Since 0.20. */
  | "falco.version.service/version";

/** The methods of 0.24.0 to 0.43.1. */
export const currentMethods: readonly FalcoMethod[] = [
  "falco.outputs.service/sub",
  "falco.outputs.service/get",
  "falco.version.service/version",
];
