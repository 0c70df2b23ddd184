/** `--redact`: what must not be in a recording. @module */
import type { Alert } from "../../lib/alert/alert.ts";
import type { OperatorStream } from "../../lib/streams/engine/operator_stream.ts";
import { compose } from "../../lib/streams/engine/compose.ts";
import { RedactStream } from "../../lib/streams/redact_stream.ts";
import { TapStream } from "../../lib/streams/tap_stream.ts";

/** Takes the values of fields out, and knows which names fitted nothing. */
export class Redaction {
  /** The operator. */
  readonly operator: OperatorStream<Alert, Alert>;
  readonly #patterns: Map<string, RegExp>;
  /** Names that no field of any alert has had so far. */
  readonly #unseen: Set<string>;

  /** @param names Names of fields, at least one; `*` stands for any text. */
  constructor(names: readonly string[]) {
    this.#patterns = new Map(names.map((name) => [name, patternOf(name)]));
    this.#unseen = new Set(names);
    this.operator = compose(
      new TapStream<Alert>((alert) => this.#look(alert)),
      new RedactStream(this.#patterns.values()),
    );
  }

  /** The names that fitted no field: they may be misspelt. */
  get unseen(): readonly string[] {
    return [...this.#unseen];
  }

  #look(alert: Alert): void {
    if (this.#unseen.size === 0) return;
    const fields = Object.keys(alert.outputFields);
    for (const name of this.#unseen) {
      const pattern = this.#patterns.get(name)!;
      if (fields.some((field) => pattern.test(field))) this.#unseen.delete(name);
    }
  }
}

function patternOf(name: string): RegExp {
  const parts = name.split("*").map((part) => part.replace(/[\\^$.+?()[\]{}|/-]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s");
}
