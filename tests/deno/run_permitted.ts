/** Runs programs with some permissions and no others. Deno only. */
import assert from "node:assert/strict";
import { makeTempFolder } from "../../harness/temp_folder.ts";

const root = new URL("../../", import.meta.url);

/**
 * Runs a program.
 *
 * @param flags Its permissions.
 * @param args What it finds in `Deno.args`.
 * @param text The program.
 * @returns What it printed, errors included.
 */
export async function runPermitted(
  flags: readonly string[],
  args: readonly string[],
  text: string,
): Promise<string> {
  const folder = await makeTempFolder();
  try {
    const path = `${folder.path}/program.ts`;
    await Deno.writeTextFile(path, text);
    const config = new URL("deno.json", root).pathname;
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        "--cached-only",
        `--config=${config}`,
        ...flags,
        path,
        ...args,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  } finally {
    await folder.remove();
  }
}

/** Runs a program with one flag, and without it. */
export async function needs(
  flag: string,
  args: readonly string[],
  text: string,
  expected: { readonly granted: RegExp; readonly denied: RegExp },
): Promise<void> {
  assert.match(await runPermitted([flag], args, text), expected.granted, flag);
  assert.match(await runPermitted([], args, text), expected.denied, flag);
}
