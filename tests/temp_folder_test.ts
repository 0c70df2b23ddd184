import assert from "node:assert/strict";
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { basename } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { makeTempFolder } from "../harness/temp_folder.ts";

const posix = { skip: process.platform === "win32" ? "only on POSIX systems" : false };

describe("makeTempFolder()", () => {
  it("makes a new empty folder each time", async () => {
    const one = await makeTempFolder();
    const two = await makeTempFolder();
    try {
      assert.notEqual(one.path, two.path);
      assert.match(basename(one.path), /^falco-\w{6}$/);
      assert.deepEqual(await readdir(one.path), []);
    } finally {
      await one.remove();
      await two.remove();
    }
  });

  it("takes another prefix", async () => {
    const folder = await makeTempFolder("certs of ");
    await folder.remove();
    assert.match(basename(folder.path), /^certs of \w{6}$/);
  });

  it("keeps the folder to its owner, in /tmp whatever TMPDIR says", posix, async () => {
    const folder = await makeTempFolder();
    try {
      assert.match(folder.path, /^\/tmp\/falco-\w{6}$/);
      assert.equal((await stat(folder.path)).mode & 0o777, 0o700);
    } finally {
      await folder.remove();
    }
  });

  it("leaves room for the path of a unix socket", posix, async () => {
    const folder = await makeTempFolder();
    const server = createServer();
    try {
      const path = `${folder.path}/${"s".repeat(80)}.sock`;
      server.listen(path);
      await once(server, "listening");
      assert.equal((await stat(path)).isSocket(), true);
    } finally {
      server.close();
      await folder.remove();
    }
  });

  for (const prefix of ["../up-", "a\\b", "/", "nul\0"]) {
    it(`refuses the prefix ${JSON.stringify(prefix)}`, async () => {
      await assert.rejects(makeTempFolder(prefix), {
        name: "TypeError",
        message: `Cannot make a temporary folder: prefix ${JSON.stringify(prefix)} ` +
          "is no file name. Give one without slashes",
      });
    });
  }
});

describe("TempFolder.remove()", () => {
  it("removes the folder and all that is in it", async () => {
    const folder = await makeTempFolder();
    await mkdir(`${folder.path}/a/b`, { recursive: true });
    await writeFile(`${folder.path}/a/b/c.txt`, "hello");
    await folder.remove();
    await assert.rejects(stat(folder.path), { code: "ENOENT" });
  });

  it("does nothing more when called again, at once or later", async () => {
    const folder = await makeTempFolder();
    await Promise.all([folder.remove(), folder.remove()]);
    await mkdir(folder.path); // By somebody else, who happens to get the same name.
    try {
      await folder.remove();
      await stat(folder.path);
    } finally {
      await rm(folder.path, { recursive: true, force: true });
    }
  });

  it("is content with a folder that is gone", async () => {
    const folder = await makeTempFolder();
    await rm(folder.path, { recursive: true });
    await folder.remove();
  });

  it("is what disposal calls", async () => {
    const folder = await makeTempFolder();
    await folder[Symbol.asyncDispose]();
    await assert.rejects(stat(folder.path), { code: "ENOENT" });
  });
});
