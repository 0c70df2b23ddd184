/** All rules behind the bundled scenarios of system calls. @module */
import { furtherRules } from "./_further_rules.ts";
import { type Rule, who } from "./_rule.ts";
import { stableRules } from "./_stable_rules.ts";

/**
 * No rules of Falco's: none of those has one of the two highest priorities, but a site that writes
 * its own may use them.
 */
const siteRules = {
  kernelHelperShell: {
    rule: "Shell started by a kernel helper",
    priority: "emergency",
    tags: ["T1611", "host", "mitre_privilege_escalation", "site"],
    output: `Shell that the kernel itself started | exe=%proc.exepath ${who}`,
  },
  canaryFile: {
    rule: "Canary file opened",
    priority: "alert",
    tags: ["T1552", "filesystem", "host", "mitre_credential_access", "site"],
    output: `File that nobody needs was opened | file=%fd.name ${who}`,
  },
} as const satisfies { readonly [name: string]: Rule };

/** The rules by a short name of ours. */
export const rules = { ...stableRules, ...furtherRules, ...siteRules };
