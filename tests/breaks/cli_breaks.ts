/** Breaks of the command line. @module */
import type { Break } from "./break.ts";

/** In the order of their files. */
export const cliBreaks: readonly Break[] = [
  {
    name: "doctor says 0 whatever it finds",
    file: "cli/doctor.ts",
    find: "return isWell ? 0 : 1;",
    replace: "return 0;",
    tests: ["cli_doctor"],
  },
  {
    name: "terminal sequences are printed raw",
    file: "cli/formats/harmless.ts",
    find: "[\\p{Cc}\\u00ad",
    replace: "[\\u00ad",
    tests: ["cli_formats"],
  },
  {
    name: "text can be turned around on a terminal",
    file: "cli/formats/harmless.ts",
    find: "\\u2028-\\u202e\\u2060-\\u206f",
    replace: "",
    tests: ["cli_formats"],
  },
  {
    name: "pretty prints messages as they are",
    file: "cli/formats/pretty_format.ts",
    find: "const message = harmless(messageOf(withoutJson(alert)));",
    replace: "const message = messageOf(withoutJson(alert));",
    tests: ["cli_formats"],
  },
  {
    name: "Ctrl-C ends with 1",
    file: "cli/interrupt.ts",
    find: "SIGINT: 130",
    replace: "SIGINT: 1",
    tests: ["cli_replay", "cli_fake"],
  },
  {
    name: "bad input ends with 1",
    file: "cli/main.ts",
    find: "return isInput ? 2 : 1;",
    replace: "return 1;",
    tests: ["cli_replay"],
  },
  {
    name: "a reader that has seen enough is an error",
    file: "cli/output.ts",
    find: 'if (error.code === "EPIPE") this.#closed = true;\n    else if (!this.#closed) ',
    replace: "",
    tests: ["cli_replay", "output"],
  },
  {
    name: "a full disk ends a command in the middle",
    file: "cli/output.ts",
    find: "finish(error as Error);\n      return;",
    replace: "throw error;",
    tests: ["output"],
  },
  {
    name: "a redacted name takes others with it",
    file: "cli/record/redaction.ts",
    find: '`^${parts.join(".*")}$`',
    replace: 'parts.join(".*")',
    tests: ["redaction", "cli_record"],
  },
  {
    name: "a broken file is noticed in the middle of it",
    file: "cli/replay.ts",
    find: "const checked = await checkAll(fixtures, progress, interrupt.signal);",
    replace:
      "const checked = fixtures.length > 1e9 ? await checkAll(fixtures, progress, interrupt.signal) : undefined;",
    tests: ["cli_replay"],
  },
  {
    name: "replay dedupes by the time of day",
    file: "cli/replay_pipeline.ts",
    find: "windowMs: DEDUPE_MS,\n      clock,",
    replace: "windowMs: DEDUPE_MS,",
    tests: ["replay_pipeline"],
  },
  {
    name: "tail prints what Falco says of itself as it is",
    file: "cli/tail.ts",
    find: "${harmless(line)}",
    replace: "${line}",
    tests: ["cli_hostile_status"],
  },
  {
    name: "messages of the command line call options as the library does",
    file: "lib/transport/option_names.ts",
    find: "return given?.[OPTION_NAMES]?.[option] ?? { option: `tls.${option}` };",
    replace: "return { option: `tls.${option}` };",
    tests: ["cli_option_names"],
  },
  {
    name: "a recording of a Falco that was never there ends well",
    file: "cli/record.ts",
    find: 'else if (live.missing === undefined) end = "duration";',
    replace: 'else if (live.missing !== "") end = "duration";',
    tests: ["cli_record_end"],
  },
];
