/** A configuration and the files that its `config_files` names. @module */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { FalcoConfigError } from "./config_error.ts";
import type { ConfigEntry, ConfigMap, ConfigNode } from "./config_node.ts";
import type { ReadVariable } from "./expand_variables.ts";
import type { FalcoConfig } from "./falco_config.ts";
import { parseConfigSource, toFalcoConfig } from "./parse_falco_config.ts";
import type { ConfigSource } from "./parse_falco_config.ts";

/** How a further file is merged: the words of Falco's `strategy`. */
type Strategy = "append" | "override" | "add-only";

/** What a configuration is read from. */
export interface LoadFalcoConfigOptions {
  /** The second number of Falco's version. */
  readonly minor: number;
  /** What `${NAME}` stands for. */
  readonly readVariable: ReadVariable;
}

/**
 * Tells a configuration from the path of one: a path has no line break, and no colon with a blank
 * behind it.
 *
 * @param source What the caller gave.
 * @returns Whether it is the text itself.
 */
export function isConfigText(source: string): boolean {
  return /\n|:\s/.test(source) || source.trim() === "";
}

/**
 * Looks up a variable of this process. On Deno it needs `--allow-env` for it.
 *
 * @param name The name.
 * @returns Its value.
 */
export function readProcessVariable(name: string): string | undefined {
  return process.env[name];
}

/**
 * Reads a configuration, and merges into it the files and folders of `config_files` as Falco does,
 * key by key of the outermost mapping: lists are appended, all else is replaced; with the strategy
 * `override` lists are replaced as well, with `add-only` only new keys count. Files that are not
 * there are skipped.
 *
 * @param source The path of a file, or its text.
 * @param options Version and environment.
 * @returns What it comes to.
 * @throws {FalcoConfigError} If a file cannot be read, or Falco would refuse it.
 */
export async function loadFalcoConfig(
  source: string,
  options: LoadFalcoConfigOptions,
): Promise<FalcoConfig> {
  const { minor, readVariable } = options;
  const main = isConfigText(source)
    ? parseConfigSource(source, "falco.yaml", readVariable)
    : parseConfigSource(await readConfig(source), source, readVariable);
  const sources = [main];
  let entries = main.root.entries;
  // Since 0.39.
  for (const { path, strategy } of minor >= 39 ? includedFiles(main) : []) {
    for (const file of await expandPath(path)) {
      const included = parseConfigSource(await readConfig(file), file, readVariable);
      entries = merge(entries, included, strategy);
      sources.push(included);
    }
  }
  return toFalcoConfig(sources, minor, { ...main.root, entries });
}

async function readConfig(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    const reason = code === "ENOENT"
      ? `Could not find configuration file at ${path}`
      : `Cannot read the configuration: ${message}`;
    throw new FalcoConfigError({ file: path }, reason, error);
  }
}

function includedFiles({ root }: ConfigSource): { path: string; strategy: Strategy }[] {
  const list = root.entries.find(({ key }) => key === "config_files")?.value;
  if (list?.kind !== "list") return [];
  return list.items.flatMap((item) => {
    if (item.kind === "text") return [{ path: item.text, strategy: "append" as const }];
    const path = textOf(item, "path");
    const strategy = textOf(item, "strategy");
    if (path === undefined) return [];
    const isKnown = strategy === "override" || strategy === "add-only";
    return [{ path, strategy: isKnown ? strategy : "append" as const }];
  });
}

function textOf(node: ConfigNode, key: string): string | undefined {
  if (node.kind !== "map") return undefined;
  const value = node.entries.find((entry) => entry.key === key)?.value;
  return value?.kind === "text" ? value.text : undefined;
}

/** A folder stands for the files in it, in the order of their names; folders within are left out. */
async function expandPath(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return [];
  if (!found.isDirectory()) return [path];
  const names = (await readdir(path)).sort();
  const files: string[] = [];
  for (const name of names) {
    const file = join(path, name);
    if ((await stat(file).catch(() => undefined))?.isFile()) files.push(file);
  }
  return files;
}

function merge(
  entries: ConfigMap["entries"],
  { file, root }: ConfigSource,
  strategy: Strategy,
): ConfigMap["entries"] {
  const merged = [...entries];
  for (const entry of root.entries) {
    if (entry.key === "config_files") {
      throw new FalcoConfigError(
        entry.place,
        `Config error: 'config_files' directive in included config file ${file}.`,
      );
    }
    const index = merged.findIndex(({ key }) => key === entry.key);
    const present = merged[index];
    if (present === undefined) merged.push(entry);
    else if (strategy !== "add-only") merged[index] = mergeEntry(present, entry, strategy);
  }
  return merged;
}

function mergeEntry(present: ConfigEntry, added: ConfigEntry, strategy: Strategy): ConfigEntry {
  const [before, after] = [present.value, added.value];
  if (strategy === "override" || before.kind !== "list" || after.kind !== "list") return added;
  return { ...present, value: { ...before, items: [...before.items, ...after.items] } };
}
