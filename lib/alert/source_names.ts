/** The sources that Falco has numbers for. @module */

/** The names of `falco.schema.source` by number; whatever is not among them came from a plugin. */
export const sourceNames: readonly string[] = ["syscall", "k8s_audit", "internal", "plugin"];
/** The number for all others. */
export const PLUGIN = 3;
