/** The socket of a server that was killed, while programs run that it has started. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { lstatSync } from "node:fs";
import { chmod, readdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { FakeFalco } from "../harness/fake_falco.ts";
import { FaultyWire } from "../harness/faults/faulty_wire.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { socketPath } from "./fake_falco_clients.ts";

/** Whether the system lets somebody in. */
function dial(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(String(code)));
    socket.once("connect", () => {
      socket.destroy();
      resolve("let in");
    });
  });
}

/** Runs something while there is a program that was started just before. */
async function besideProgram(run: () => Promise<void>): Promise<void> {
  const child = spawn("sh", ["-c", "read line"], { stdio: ["pipe", "ignore", "ignore"] });
  const over = once(child, "close");
  try {
    await run();
  } finally {
    child.stdin.end();
    await over;
  }
}

const posix = { skip: process.platform === "win32" };

test(
  "FakeFalco.kill() leaves a socket that takes nobody, whatever the fake has started",
  posix,
  async () => {
    const fake = await FakeFalco.start();
    const path = socketPath(fake)!;
    await chmod(path, 0o640);
    await besideProgram(async () => {
      const killed = fake.kill();
      // At once: who was let in now would wait for ever.
      assert.equal(await dial(path), "ECONNREFUSED");
      await killed;
      assert.equal(await dial(path), "ECONNREFUSED");
      assert.equal(lstatSync(path).mode & 0o777, 0o640);
      assert.deepEqual(await readdir(dirname(path)), ["falco.sock"]);
    });
    await fake[Symbol.asyncDispose]();
  },
);

test("FaultyWire refuses, whatever its program has started", posix, async () => {
  const fake = await FakeFalco.start();
  const wire = await FaultyWire.start(fake.address);
  const path = wire.address.slice("unix://".length);
  await besideProgram(async () => {
    await wire.refuse();
    assert.equal(await dial(path), "ECONNREFUSED");
    await wire.open();
    assert.equal(await dial(path), "let in");
  });
  await wire.close();
  await fake[Symbol.asyncDispose]();
});

test("FakeFalco.kill() leaves the socket of another server alone", posix, async () => {
  const first = await FakeFalco.start();
  const second = await FakeFalco.start({ listen: first.address });
  const path = socketPath(first)!;
  const { ino } = lstatSync(path);
  await first.kill();
  assert.equal(lstatSync(path).ino, ino);
  assert.equal(await dial(path), "let in");
  await second.kill();
  await first[Symbol.asyncDispose]();
});

test("FakeFalco.kill() leaves a server alone that came after its own end", posix, async () => {
  // Often enough that a file system gives the number of a file that is gone to the next one.
  for (const end of ["kill", "stop"] as const) {
    for (let round = 0; round < 5; round++) {
      const first = await FakeFalco.start();
      await first[end]();
      const second = await FakeFalco.start({ listen: first.address });
      await first.kill();
      assert.equal(await dial(socketPath(second)!), "let in");
      await second.kill();
      await first[Symbol.asyncDispose]();
    }
  }
});

test("FakeFalco.kill() succeeds where its folder is none any more", posix, async () => {
  const folder = await makeTempFolder();
  const place = `${folder.path}/run`;
  const fake = await FakeFalco.start({ listen: `unix://${place}/falco.sock` });
  const client = connect(`${place}/falco.sock`).on("error", () => {}).resume();
  await once(client, "connect");
  await rm(place, { recursive: true });
  await writeFile(place, "");
  const closed = once(client, "close");
  await fake.kill();
  await closed;
  await folder.remove();
});
