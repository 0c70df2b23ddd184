/** The file of a unix socket. @module */
import { chmodSync, chownSync, lstatSync, renameSync } from "node:fs";
import { lstat, mkdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { MAX_SOCKET_PATH_BYTES } from "../transport/socket_path.ts";

/** The file that clients of a server find, as long as no other server has taken its place. */
export class SocketFile {
  readonly #path: string;
  /** The number of the file, which may be another's once this one is gone. */
  readonly #inode: number;
  #isOver = false;

  private constructor(path: string, inode: number) {
    this.#path = path;
    this.#inode = inode;
  }

  /**
   * Listens at a path as Falco does: whatever socket stands there is taken over, even a live one; any
   * other file is left alone and is an error.
   *
   * @param path Where.
   * @param makeFolders Whether folders that are missing are created.
   * @param listen Starts listening at a path; may throw.
   * @returns The file, in the turn in which clients find it: whoever waits for this hears of it before
   * anybody can have called.
   * @throws {Error} With the `code` of the system call that failed, such as `EADDRINUSE`.
   */
  static async listen(
    path: string,
    makeFolders: boolean,
    listen: (path: string) => Promise<void>,
  ): Promise<SocketFile> {
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
    return new SocketFile(path, ino);
  }

  /**
   * Sees to it that nobody can connect any more; to be called when the server is about to be closed.
   *
   * That server may live on elsewhere: on Deno 2.9 the programs that a process starts inherit its unix
   * listeners, and everywhere a process has copies of all that was open while it is being started. The
   * system would let clients in that nobody answers. Hence another socket takes the place, within this
   * turn: one that is closed. Another server's is left alone, and so is all after the first time.
   */
  leaveDead(): void {
    if (!this.#isOver) replaceByDead(this.#path, this.#inode);
    this.#isOver = true;
  }

  /**
   * Removes the socket, and nothing else that somebody may have put in its place.
   *
   * @returns A promise that resolves when it is gone.
   */
  async remove(): Promise<void> {
    this.#isOver = true;
    const present = await lstat(this.#path).catch(() => undefined);
    if (present?.isSocket()) await rm(this.#path, { force: true });
  }
}

function replaceByDead(path: string, inode: number): void {
  const server = createServer().on("error", () => {});
  try {
    const { ino, mode, uid, gid } = lstatSync(path);
    if (ino !== inode) return;
    const temporary = temporaryName(path);
    server.listen(temporary);
    const made = lstatSync(temporary);
    chmodSync(temporary, mode & 0o777);
    if (uid !== made.uid || gid !== made.gid) chownSync(temporary, uid, gid);
    renameSync(temporary, path); // or the runtime would remove it
  } catch {
    // It is gone already, or there is no room for another: then that one stays.
  } finally {
    server.close();
  }
}

function temporaryName(path: string): string {
  return join(dirname(path), `.${Math.random().toString(36).slice(2, 8)}`);
}
