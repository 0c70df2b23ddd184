/** The file of a unix socket. @module */
import { chmodSync, lstatSync, renameSync } from "node:fs";
import { lstat, mkdir, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
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
  const temporary = temporaryName(path);
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

/** How often to try. Once does, unless a process is being started in that very moment. */
const MAX_TRIES = 100;

/**
 * Sees to it that nobody can connect to a socket any more whose server is being closed.
 *
 * That server may live on elsewhere: on Deno 2.9 the programs that a process starts inherit its unix
 * listeners, and everywhere a process has copies of all that was open while it is being started. The
 * system would let clients in that nobody answers. Hence another socket takes the place, at once: one
 * that is closed.
 *
 * @param path Where its file stands.
 * @param inode The number of that file: another one is another server's, and stays.
 * @returns A promise that resolves when clients are refused.
 */
export async function leaveDead(path: string, inode: number): Promise<void> {
  let dead = replaceByDead(path, inode);
  for (let tries = 1; dead !== undefined && tries < MAX_TRIES; tries++) {
    if (await isRefused(path)) return;
    dead = replaceByDead(path, dead);
  }
}

/** Does so within this turn; the number of the new file, or undefined if the place is another's. */
function replaceByDead(path: string, inode: number): number | undefined {
  const present = lstatSync(path, { throwIfNoEntry: false });
  if (present?.ino !== inode) return undefined;
  const temporary = temporaryName(path);
  const server = createServer().on("error", () => {}); // no room for it: the other one stays
  server.listen(temporary);
  try {
    chmodSync(temporary, present.mode & 0o777);
    const { ino } = lstatSync(temporary);
    renameSync(temporary, path); // or the runtime would remove it
    return ino;
  } catch {
    return undefined;
  } finally {
    server.close();
  }
}

function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    // A program that may not connect cannot find out.
    socket.once("error", () => resolve(true));
  });
}

function temporaryName(path: string): string {
  return join(dirname(path), `.${Math.random().toString(36).slice(2, 8)}`);
}
