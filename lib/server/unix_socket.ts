/** The file of a unix socket. @module */
import { renameSync } from "node:fs";
import { lstat, mkdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { MAX_SOCKET_PATH_BYTES } from "../transport/socket_path.ts";

/**
 * Listens at a path as Falco does: whatever socket stands there is taken over, even a live one; any
 * other file is left alone and is an error.
 *
 * @param path Where.
 * @param makeFolders Whether folders that are missing are created.
 * @param listen Starts listening at a path; may throw.
 * @returns The number of the socket's file, in the turn in which clients find it: whoever waits for
 * this hears of it before anybody can have called.
 * @throws {Error} With the `code` of the system call that failed, such as `EADDRINUSE`.
 */
export async function listenAt(
  path: string,
  makeFolders: boolean,
  listen: (path: string) => Promise<void>,
): Promise<number> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    throw Object.assign(new Error("path too long for a socket"), { code: "ENAMETOOLONG" });
  }
  if (makeFolders) await mkdir(dirname(path), { recursive: true });
  // Node would say of a folder that is not there that the permission is denied.
  else await lstat(dirname(path));
  const present = await lstat(path).catch(() => undefined);
  if (present !== undefined && !present.isSocket()) {
    throw Object.assign(new Error("address already in use"), { code: "EADDRINUSE" });
  }
  // Listening under another name and renaming takes the path over in one step, and keeps the
  // runtime from removing the file when the server is killed: Falco's stays behind then, too.
  const temporary = join(dirname(path), `.${Math.random().toString(36).slice(2, 8)}`);
  await listen(temporary);
  const { ino } = await lstat(temporary);
  // Not while others run: a client could come, and be served, before it is known who listens. A
  // restart that struck then killed the server before this one.
  renameSync(temporary, path);
  return ino;
}

/**
 * Removes a socket, and nothing else that somebody may have put in its place.
 *
 * @param path Where.
 */
export async function removeSocket(path: string): Promise<void> {
  const present = await lstat(path).catch(() => undefined);
  if (present?.isSocket()) await rm(path, { force: true });
}

/**
 * How often to look whether a socket is really closed, a millisecond apart at least. Each look that
 * is let in fills the queue of those who wait.
 */
const MAX_LOOKS = 2000;

/**
 * Waits until nobody can connect to a socket any more whose server is closed. A process that is
 * being started just then has a copy of what listened, for as long as that takes, and the system
 * lets clients in meanwhile.
 *
 * @param path Where its file stands.
 * @param inode The number of that file: another one is another server's.
 */
export async function untilRefused(path: string, inode: number): Promise<void> {
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const present = await lstat(path).catch(() => undefined);
    if (present?.ino !== inode || await isRefused(path)) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    // That queue is full. A program that may not connect cannot find out.
    socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code !== "EAGAIN"));
  });
}
