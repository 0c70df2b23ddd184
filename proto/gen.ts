/**
 * Writes gen/ from proto/, or says whether it is up to date. `deno task gen` runs this.
 *
 * - `deno task gen` formats the .proto files, writes gen/, and renews proto/image.binpb, the
 *   contract as it was. If a change breaks who uses that contract, it stops.
 * - `deno task gen --image` does not look at the old image, and so lets such a change through.
 * - `deno task gen --check` writes nothing. It exits with 1 if any of that remains to be done, or
 *   if the .proto files break a rule of proto/buf.yaml.
 *
 * @module
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { putCommentsOnOneLine } from "./one_line_comments.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const image = "proto/image.binpb";
// Without comments and positions: a reworded comment is no change of the contract.
const buildImage = ["build", "proto", "--exclude-source-info", "-o"];
const generate = ["generate", "proto", "--template", "proto/buf.gen.yaml"];
const breaking = ["breaking", "proto", "--against", image];
const broken = `proto/ breaks the contract in ${image}: take the change back, ` +
  "or renew the image on purpose with `deno task gen --image`";

/** A step that did not work, in words for whoever called `deno task gen`. */
class GenError extends Error {}

/** Runs Deno in a folder below the root. The result is its exit status and all that it wrote. */
async function deno(folder: string, args: string[]): Promise<{ code: number; output: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd: join(root, folder),
    // buf starts its plugin as "deno". Who calls Deno by its path need not have that on PATH.
    env: { PATH: dirname(Deno.execPath()) + delimiter + (Deno.env.get("PATH") ?? "") },
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, output: (decoder.decode(stdout) + decoder.decode(stderr)).trimEnd() };
}

/** Fetches buf and its plugin if they are not there. Nothing else here needs the network. */
async function fetchBuf(): Promise<void> {
  const { code, output } = await deno("proto", ["install", "--quiet"]);
  if (code === 0) return;
  throw new GenError(
    "Cannot fetch buf: the packages of proto/deno.json did not come. Check that the npm registry " +
      `can be reached, and that proto/deno.lock was made by \`deno install\`\n${output}`,
  );
}

/** Runs buf. The result is what it found, empty if nothing; throws if buf could not do its work. */
async function buf(...args: string[]): Promise<string> {
  const launcher = ["run", "-A", "--quiet", "--config=proto/deno.json", "@bufbuild/buf/buf"];
  const { code, output } = await deno(".", [...launcher, ...args]);
  if (code === 0) return "";
  // 100 means that buf has something to say about the .proto files; else it failed itself.
  if (code === 100) return output;
  throw new GenError(`Cannot run "buf ${args.join(" ")}": it ended with status ${code}\n${output}`);
}

/** As {@linkcode buf}, for what must find nothing. */
async function run(...args: string[]): Promise<void> {
  const output = await buf(...args);
  if (output !== "") throw new GenError(`Cannot use the .proto files: mend them\n${output}`);
}

/** The files below a folder by relative path; none if there is no such folder. */
async function readTree(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(folder, path).replaceAll(sep, "/"), await readFile(path, "latin1"));
  }
  return files;
}

/** Lists what is different in gen/, one file a line; empty if nothing is. */
function compare(committed: Map<string, string>, fresh: Map<string, string>): string {
  return [...new Set([...committed.keys(), ...fresh.keys()])].sort()
    .filter((name) => committed.get(name) !== fresh.get(name))
    .map((name) => {
      const state = !committed.has(name) ? "missing" : !fresh.has(name) ? "left over" : "changed";
      return `  gen/${name} (${state})`;
    })
    .join("\n");
}

/** Generates code into the folder gen/ of another, of the root by default. */
async function generateInto(folder: string = root): Promise<void> {
  await run(...generate, "-o", folder);
  const gen = join(folder, "gen");
  for (const name of (await readTree(gen)).keys()) {
    const path = join(gen, name);
    await writeFile(path, putCommentsOnOneLine(await readFile(path, "utf8")));
  }
}

/** Writes what is generated, but not over an image that the contract no longer fits. */
async function write(renewImage: boolean): Promise<void> {
  await run("format", "proto", "-w");
  const findings = renewImage ? "" : await buf(...breaking);
  if (findings !== "") throw new GenError(`${broken}\n${findings}`);
  await generateInto();
  await run(...buildImage, image);
}

/** Says what `write` would change, and what the rules forbid. Writes nothing below the root. */
async function check(): Promise<string[]> {
  const problems: string[] = [];
  const note = (problem: string, findings: string): void => {
    if (findings !== "") problems.push(`${problem}\n${findings}`);
  };
  note("proto/ breaks a lint rule: mend it, see proto/buf.yaml", await buf("lint", "proto"));
  note(
    "proto/ is not formatted: run `deno task gen` and commit the result",
    await buf("format", "proto", "--diff", "--exit-code"),
  );
  const breaks = await buf(...breaking);
  note(broken, breaks);
  const folder = await Deno.makeTempDir({ prefix: "falco-streams-gen-" });
  try {
    await generateInto(folder);
    note(
      "gen/ differs from proto/: run `deno task gen` and commit the result",
      compare(await readTree(join(root, "gen")), await readTree(join(folder, "gen"))),
    );
    const freshImage = join(folder, "image.binpb");
    await run(...buildImage, freshImage);
    const same = (await readFile(freshImage)).equals(await readFile(join(root, image)));
    if (breaks === "" && !same) {
      problems.push(`${image} is older than proto/: run \`deno task gen\` and commit the result`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return problems;
}

/** Runs the command line and returns the exit status: 0 done, 1 failed, 2 bad arguments. */
async function main(args: readonly string[]): Promise<number> {
  const mode = args.join(" ");
  if (!["", "--check", "--image"].includes(mode)) {
    console.error("Usage: deno task gen [--check | --image]");
    return 2;
  }
  try {
    await fetchBuf();
    // First of all, since every step below would report a syntax error as its own finding.
    await run("build", "proto");
    const problems = mode === "--check" ? await check() : [];
    if (mode !== "--check") await write(mode === "--image");
    for (const problem of problems) console.error(problem);
    return problems.length === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof GenError)) throw error;
    console.error(error.message);
    return 1;
  }
}

Deno.exit(await main(Deno.args));
