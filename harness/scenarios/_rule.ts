/** What the alerts of a rule have in common. @module */
import type { Priority } from "../../lib/alert/priority.ts";

/** A rule, as far as its alerts show it; to be spread into them. */
export interface Rule {
  /** The name of the rule. */
  readonly rule: string;
  /** Its priority. */
  readonly priority: Priority;
  /** Its tags, sorted as Falco does: by bytes, upper case first. */
  readonly tags: readonly string[];
  /** Its message; `%name` stands for the field of that name. */
  readonly output: string;
}

/** Who did it and where: what the messages about system calls end with. */
export const who = "user=%user.name process=%proc.name parent=%proc.pname command=%proc.cmdline " +
  "container_id=%container.id pod=%k8s.pod.name";
