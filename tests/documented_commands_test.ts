/** Tasks, commands, options and entry points: what is written about them is so, and none is left out. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, it } from "node:test";

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
const read = (path: string): string => readFileSync(at(path), "utf8");
const config = JSON.parse(read("deno.json")) as {
  name: string;
  exports: Record<string, string>;
  tasks: Record<string, string | { command: string }>;
};
const commandOf = (task: string): string => {
  const entry = config.tasks[task]!;
  return typeof entry === "string" ? entry : entry.command;
};

const pages = [
  ...["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md", "bench/README.md"],
  ...["harness/README.md", "tests/interop/README.md", ".ci/run"],
  ...readdirSync(at("docs/")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`),
  ...readdirSync(at(".github/workflows/")).map((name) => `.github/workflows/${name}`),
].filter((path) => existsSync(at(path)));

/** What a workflow runs as a matrix of tasks, as the commands that come of it. */
const spelledOut = (text: string): string =>
  text.replace(
    /^( +)task:\n((?:\1 {2}- .+\n)+)/gm,
    (_, __, list: string) => list.replace(/^ +- /gm, "deno task "),
  );

/** Each `deno task ...` in a text, with its arguments; comments behind it and other commands left out. */
function* tasksIn(text: string): Generator<{ task: string; args: string }> {
  const joined = text.replace(/\\\n\s*/g, " ");
  // In CI, Deno is a variable.
  const named = /(?:\bdeno(?:@[\d.]+)?|\$DENO) task (?!NAME|COMMAND)([a-z][a-z-]*)([^`|;\n]*)/g;
  for (const [, task = "", args = ""] of joined.matchAll(named)) {
    yield { task, args: args.replace(/ #.*$/, "").replace(/"[^"]*"/g, "") };
  }
}

const optionsFile = (task: string): string => `cli/${task}_options.ts`;
const commands = [...read("cli/main.ts").matchAll(/^ {2}\["([a-z]+)", async /gm)]
  .map(([, name]) => name!);

async function helpOf(name: string): Promise<string> {
  const module = await import(`../${optionsFile(name)}`) as Record<string, string>;
  return module[`${name}Help`]!;
}

/** What says which options a task has: its help, or for those of the project, its source. */
async function wordsOf(task: string): Promise<string> {
  if (commands.includes(task)) return await helpOf(task);
  const [path = ""] = /\b(?:tests|bench|proto)\/[\w/]+\.ts/.exec(commandOf(task)) ?? [];
  if (path === "") return "";
  const folder = dirname(path);
  const files = folder === "tests" || folder === "proto"
    ? [path]
    : readdirSync(at(folder)).filter((name) => name.endsWith(".ts")).map((name) =>
      `${folder}/${name}`
    );
  return files.map(read).join("\n");
}

describe("What is written about tasks", () => {
  for (const page of pages) {
    it(`names tasks and options that there are: ${page}`, async () => {
      for (const { task, args } of tasksIn(spelledOut(read(page)))) {
        assert(task in config.tasks, `deno task ${task}`);
        const words = await wordsOf(task);
        for (const [, option = ""] of args.matchAll(/(?:^|\s)(--[a-z][a-z-]*)/g)) {
          const isThere = new RegExp(`${option}(?![a-z-])`).test(words) ||
            new RegExp(`["\\s{]${option.slice(2)}"?: \\{ type:`).test(words);
          assert(isThere || option === "--help", `deno task ${task} ${option}`);
        }
      }
    });
  }

  it("has every task", () => {
    const text = `${read("README.md")}\n${read("CONTRIBUTING.md")}`;
    const named = new Set([...tasksIn(text)].map(({ task }) => task));
    assert.deepEqual(Object.keys(config.tasks).filter((task) => !named.has(task)), []);
  });
});

describe("The commands", () => {
  it("are all in README's table, in the help and among the tasks", async () => {
    assert(commands.length >= 8);
    const readme = read("README.md");
    const section = readme.slice(readme.indexOf("\n## Commands\n"));
    const rows = [...section.slice(0, section.indexOf("\n## ", 1)).matchAll(/^\| `([a-z]+)`/gm)];
    assert.deepEqual(rows.map(([, name]) => name).sort(), [...commands].sort());
    const [, list = ""] = /\nCommands:\n([^]*?)\n\n/.exec(read("cli/main.ts")) ?? [];
    const listed = [...list.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
    assert.deepEqual(listed.sort(), [...commands].sort());
    for (const name of commands) {
      assert.match(commandOf(name), new RegExp(` cli/main\\.ts ${name}$`));
      assert.match(await helpOf(name), new RegExp(`^Usage: ${name} `));
    }
  });

  for (const name of commands) {
    it(`say of each option what it does, and of no other: ${name}`, async () => {
      const help = await helpOf(name);
      const source = [optionsFile(name), ...sharedBy(optionsFile(name))].map(read).join("\n");
      const taken = new Map(
        [...source.matchAll(/^ +"?([a-z][a-z-]*)"?: \{ type: "[a-z]+"(?:, short: "(.)")?/gm)]
          .map(([, option = "", short]) => [option, short]),
      );
      for (const [option, short] of taken) {
        const isThere = help.includes(`--${option}`) || short !== undefined &&
            help.includes(`-${short} is refused`);
        assert(isThere, `--${option} is not in the help`);
      }
      const described = [...help.matchAll(/^ {2}(?:-\w, )?--([a-z][a-z-]*)/gm)];
      for (const [, option = ""] of described) {
        assert(taken.has(option) || option === "help", `--${option} is not taken`);
      }
    });
  }
});

/** The files in cli/ that a file imports, and they in turn. */
function sharedBy(path: string): readonly string[] {
  const found = [...read(path).matchAll(/ from "\.\/((?!options\.ts)\w+\.ts)"/g)]
    .map(([, name]) => `cli/${name}`);
  return [...new Set(found.flatMap((file) => [file, ...sharedBy(file)]))];
}

describe("The entry points", () => {
  it("are all in README's table", () => {
    const rows = [...read("README.md").matchAll(/^\| `(@falco-streams\/core[a-z/]*)` /gm)];
    assert.deepEqual(
      rows.map(([, name]) => name),
      Object.keys(config.exports).map((key) => config.name + key.slice(1)),
    );
  });

  it("are all checked, linted and tested", () => {
    for (const path of Object.values(config.exports)) {
      const file = path.replace("./", "");
      assert(commandOf("doc").split(" ").includes(file), `doc: ${file}`);
      const [room = ""] = file.split("/");
      for (const task of ["check", "test"]) {
        assert(commandOf(task).split(" ").includes(room), `${task}: ${room}`);
      }
    }
  });
});

describe("README's permissions", () => {
  /** As the tests of permissions in tests/deno/ take them away, one by one. */
  const uses: Record<string, string> = {
    "unix socket": "net read write",
    "TLS, PEM texts": "net",
    "TLS, PEM files": "read",
    "`HttpReceiver`": "net",
    "`followFile`": "read",
    "`WebhookSink`": "net sys env",
    "`FileSink`": "read write",
    "`SyslogSink`": "net",
    "`ProgramSink`": "run env env",
  };

  it("name the flags that were checked", () => {
    const readme = read("README.md");
    const section = readme.slice(readme.indexOf("\n## Deno permissions\n"));
    const rows = section.slice(0, section.indexOf("\n## ", 1)).matchAll(
      /^\| (.+?) +\| (`.*|the.*)$/gm,
    );
    const found = [...rows].map(([, use = "", flags = ""]) => [
      use,
      [...flags.matchAll(/--allow-([a-z]+)/g)].map(([, kind]) => kind).join(" "),
    ]);
    assert.deepEqual(Object.fromEntries(found), uses);
  });
});
