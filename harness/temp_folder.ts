/** A private folder for sockets and keys that goes away again. @module */
import { mkdtemp, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/**
 * A folder that only its owner can enter, and that its maker removes.
 *
 * @example
 * ```ts
 * import { makeTempFolder } from "@falco-streams/core/harness";
 * import type { TempFolder } from "@falco-streams/core/harness";
 *
 * const folder: TempFolder = await makeTempFolder();
 * await folder.remove();
 * ```
 */
export interface TempFolder extends AsyncDisposable {
  /** The absolute path, without a slash at its end. */
  readonly path: string;
  /**
   * Removes the folder and all that is in it. Later calls do nothing, but for one after a failed
   * call, which tries again; it is no error if somebody else removed it. On Deno it needs
   * `--allow-read` and `--allow-write` for the folder. Also called on disposal.
   */
  remove(): Promise<void>;
}

/**
 * Makes a new, empty folder that only this user can enter (mode 0700).
 *
 * On POSIX systems it is in `/tmp`, whatever `TMPDIR` says, so that a unix socket in it has a short
 * path: with the default prefix the folder takes 17 of the 104 to 108 bytes. Only where `/tmp` is
 * missing or cannot be written, and on Windows, it is in the system's own folder for temporary files.
 *
 * On Deno it needs `--allow-write=/tmp`; where the system's own folder is used, also `--allow-env`
 * for the variables that name it.
 *
 * @param prefix What its name begins with; six random characters follow. No slashes. Default `falco-`.
 * @returns The folder.
 * @throws {TypeError} If `prefix` has a slash, a backslash or a NUL character in it.
 *
 * @example
 * ```ts
 * import { makeTempFolder } from "@falco-streams/core/harness";
 * import { stat, writeFile } from "node:fs/promises";
 * import assert from "node:assert/strict";
 *
 * const folder = await makeTempFolder();
 * await writeFile(`${folder.path}/note.txt`, "hello");
 * await folder.remove();
 * await assert.rejects(() => stat(folder.path));
 * ```
 */
export async function makeTempFolder(prefix = "falco-"): Promise<TempFolder> {
  if (/[/\\\0]/.test(prefix)) {
    throw new TypeError(
      `Cannot make a temporary folder: prefix ${JSON.stringify(prefix)} is no file name. ` +
        "Give one without slashes",
    );
  }
  const path = await makeFolder(prefix);
  let removal: Promise<void> | undefined;
  function remove(): Promise<void> {
    // Once only: a second removal at the same time would trip over the first, and later the path may be somebody else's.
    return removal ??= rm(path, { recursive: true, force: true }).catch(async (error: unknown) => {
      // On Deno an empty one needs no permission to read; who lacks it has not put anything in.
      const isGone = await rmdir(path).then(() => true, () => false);
      if (isGone) return;
      removal = undefined;
      throw error;
    });
  }
  return { path, remove, [Symbol.asyncDispose]: remove };
}

async function makeFolder(prefix: string): Promise<string> {
  if (process.platform === "win32") return await mkdtemp(join(tmpdir(), prefix));
  try {
    // Not `tmpdir()`: the path of a unix socket must fit into 104 bytes (macOS) or 108 (Linux), of
    // which macOS's TMPDIR alone takes about 50; and Deno asks for env permission to read TMPDIR.
    return await mkdtemp(`/tmp/${prefix}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!["ENOENT", "ENOTDIR", "EACCES", "EROFS"].includes(code ?? "")) throw error;
    return await mkdtemp(join(tmpdir(), prefix));
  }
}
