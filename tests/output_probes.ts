/** Messages, and files in a folder, that the tests of outputs share. @module */
import { join } from "node:path";
import process from "node:process";
import { after, before } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import type { OutputMessage } from "../harness/outputs/alert_output.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";

/** A folder, while the tests of a file run that has called {@linkcode useFolder}. */
export let folder: TempFolder;

/** Makes the folder before the tests of the file that calls it, and removes it after them. */
export function useFolder(): void {
  before(async () => {
    folder = await makeTempFolder();
  });
  after(() => folder.remove());
}

let count = 0;
/** A path in the folder where nothing is yet. */
export const newPath = (): string => join(folder.path, `file-${count++}`);
/** A line on its way to an output. */
export const message = (line: string): OutputMessage => ({ alert: buildAlert(), line });
/** Whether there are shells, and modes of files. */
export const isPosix = process.platform !== "win32";
