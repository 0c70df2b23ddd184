import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { dirname, join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { FakeFalco } from "../harness/fake_falco.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { alerts, BareClient, exists, rules, socketPath, wires } from "./fake_falco_clients.ts";
import { within } from "./waits.ts";

const posix = { skip: process.platform === "win32" ? "only on POSIX systems" : false };

/** Fakes at one path in a folder of their own, and clients; all is closed in the end. */
async function atPath(
  body: (scene: {
    folder: string;
    path: string;
    start(falcoVersion?: string): Promise<FakeFalco>;
    dial(): BareClient;
  }) => Promise<void>,
): Promise<void> {
  const folder = await makeTempFolder();
  const path = `${folder.path}/falco.sock`;
  const fakes: FakeFalco[] = [];
  const clients: BareClient[] = [];
  try {
    await body({
      folder: folder.path,
      path,
      async start(falcoVersion = "0.43.1") {
        const fake = await FakeFalco.start({ listen: `unix://${path}`, falcoVersion });
        fakes.push(fake);
        return fake;
      },
      dial() {
        const client = new BareClient({ address: `unix://${path}`, credentials: undefined });
        clients.push(client);
        return client;
      },
    });
  } finally {
    for (const client of clients) await client.close();
    for (const fake of fakes) await fake[Symbol.asyncDispose]();
    await folder.remove();
  }
}

describe("FakeFalco: the socket file", posix, () => {
  it("is where it was asked for, and gone after stop() with nothing beside it", () =>
    atPath(async ({ folder, path, start, dial }) => {
      const fake = await start();
      assert.equal(fake.address, `unix://${path}`);
      assert.equal(fake.credentials, undefined);
      assert.equal(fake.certificates, undefined);
      assert.deepEqual(await readdir(folder), ["falco.sock"]);
      assert.ok((await stat(path)).isSocket());
      await dial().roundTrip();
      await fake.stop();
      assert.deepEqual(await readdir(folder), []);
    }));

  it("has the mode that the umask leaves, which no option changes", () =>
    atPath(async ({ folder, path, start }) => {
      const fake = await start();
      // What the umask leaves of a folder that is made with 0777.
      await mkdir(join(folder, "like"));
      const { mode: like } = await stat(join(folder, "like"));
      assert.equal((await stat(path)).mode & 0o777, like & 0o777);
      await fake.stop();
    }));

  it("can be asked for without the scheme", () =>
    atPath(async ({ path }) => {
      const fake = await FakeFalco.start({ listen: path });
      try {
        assert.equal(fake.address, `unix://${path}`);
      } finally {
        await fake.stop();
      }
    }));

  it("is in folders that are made if they are missing, and that stay", () =>
    atPath(async ({ folder }) => {
      const path = `${folder}/run/falco/falco.sock`;
      const fake = await FakeFalco.start({ listen: `unix://${path}` });
      try {
        assert.ok((await stat(path)).isSocket());
      } finally {
        await fake.stop();
      }
      assert.deepEqual(await readdir(`${folder}/run/falco`), []);
    }));

  it("of a killed Falco is taken over by the next", () =>
    atPath(async ({ folder, path, start, dial }) => {
      const first = await start();
      await first.kill();
      assert.ok((await stat(path)).isSocket());
      const second = await start();
      second.push(...alerts(1));
      assert.deepEqual(await dial().get(), rules(1));
      await first[Symbol.asyncDispose]();
      assert.ok(await exists(path));
      await second.stop();
      assert.deepEqual(await readdir(folder), []);
    }));

  it("of a live Falco is taken over silently, and goes away with the second", () =>
    atPath(async ({ path, start, dial }) => {
      const first = await start();
      const early = dial();
      await early.roundTrip();
      const second = await start();
      assert.equal(second.address, first.address);
      first.push(...alerts(1));
      second.push(...alerts(2));
      assert.deepEqual(await dial().get(), rules(2));
      assert.deepEqual(await early.get(), rules(1)); // its connection still leads to the first
      await second.stop();
      assert.equal(await exists(path), false);
      await assert.rejects(dial().session(), { name: "FalcoConnectError", reason: "not-found" });
      first.push(...alerts(3));
      assert.deepEqual(await early.get(), rules(3));
      await within("the end", first.stop());
    }));

  it("that is somebody else's goes away with whoever stops, as Falco removes it by its path", () =>
    atPath(async ({ path, start }) => {
      const first = await start();
      const second = await start();
      await first.stop();
      assert.equal(await exists(path), false);
      await within("the end", second.stop());
    }));

  for (const kind of ["a file", "a folder"] as const) {
    it(`is not made where ${kind} is in the way, which is left alone`, () =>
      atPath(async ({ folder, path, start }) => {
        if (kind === "a file") await writeFile(path, "mine");
        else await mkdir(path);
        await assert.rejects(start(), (error: Error) => {
          assert.equal(error.name, "FalcoError");
          assert.equal(error.message, `Cannot listen at unix://${path}: the address is in use`);
          assert.equal((error.cause as NodeJS.ErrnoException).code, "EADDRINUSE");
          return true;
        });
        if (kind === "a file") assert.equal(await readFile(path, "utf8"), "mine");
        assert.deepEqual(await readdir(folder), ["falco.sock"]);
      }));

    it(`is not removed by stop() if ${kind} stands there by then`, () =>
      atPath(async ({ path, start }) => {
        const fake = await start();
        await rm(path);
        if (kind === "a file") await writeFile(path, "mine");
        else await mkdir(path);
        await within("the end", fake.stop());
        assert.ok(await exists(path));
      }));
  }

  it("that somebody has removed is no matter for stop()", () =>
    atPath(async ({ path, start }) => {
      const fake = await start();
      await rm(path);
      await within("the end", fake.stop());
    }));

  it("cannot be made below a file", () =>
    atPath(async ({ folder }) => {
      await writeFile(`${folder}/file`, "");
      await assert.rejects(FakeFalco.start({ listen: `unix://${folder}/file/falco.sock` }), {
        name: "FalcoError",
        message: `Cannot listen at unix://${folder}/file/falco.sock: ` +
          "the folder of the socket cannot be made",
      });
    }));

  it("cannot have a path that no client could connect to", () =>
    atPath(async ({ folder }) => {
      const tooLong = `unix://${folder}/${"s".repeat(100)}`;
      await assert.rejects(FakeFalco.start({ listen: tooLong }), {
        name: "FalcoError",
        message: `Cannot listen at ${tooLong}: ` +
          "the path is too long for a socket, which has room for about 100 bytes",
      });
      assert.deepEqual(await readdir(folder), []);
      const limit = process.platform === "darwin" ? 103 : 107;
      const longest = `${folder}/${"s".repeat(limit - 1 - folder.length)}`;
      const fake = await FakeFalco.start({ listen: longest });
      const client = new BareClient(fake);
      try {
        await client.roundTrip();
      } finally {
        await client.close();
        await fake.stop();
      }
    }));
});

describe("FakeFalco.start()", () => {
  it("listens on a private socket in /tmp by default", posix, async () => {
    const fake = await FakeFalco.start();
    try {
      const path = socketPath(fake)!;
      assert.match(path, /^\/tmp\/falco-\w{6}\/falco\.sock$/);
      assert.equal((await stat(dirname(path))).mode & 0o777, 0o700);
    } finally {
      await fake.stop();
    }
  });

  it("refuses TLS on a unix socket, and TCP without it, as Falco has neither", async () => {
    await assert.rejects(FakeFalco.start({ listen: "unix:///tmp/x.sock", tls: true }), {
      name: "TypeError",
      message: "Cannot listen at unix:///tmp/x.sock with TLS: Falco has none on unix sockets",
    });
    await assert.rejects(FakeFalco.start({ listen: "localhost:0", tls: false }), {
      name: "TypeError",
      message: "Cannot listen at https://localhost:0 without TLS: Falco has no plain TCP",
    });
  });

  it("refuses what is no address", async () => {
    for (const listen of ["", "unix:falco.sock", "http://localhost:5060", "localhost:70000"]) {
      await assert.rejects(FakeFalco.start({ listen }), {
        name: "TypeError",
        message: /^Cannot use the address /,
      });
    }
  });

  it("says which port is taken", async () => {
    const other = createServer();
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    try {
      const { port } = other.address() as { port: number };
      await assert.rejects(FakeFalco.start({ listen: `localhost:${port}` }), {
        name: "FalcoError",
        message: `Cannot listen at https://localhost:${port}: the address is in use`,
      });
    } finally {
      other.close();
      await once(other, "close");
    }
  });

  it("starts fifty at once, each for itself, and leaves nothing behind", async () => {
    const count = 25;
    const fakes = await Promise.all(
      wires.flatMap((wire) => Array.from({ length: count }, () => wire.start())),
    );
    const folders = fakes.map(socketPath).filter((path) => path !== undefined).map(dirname);
    const clients = fakes.map((fake) => new BareClient(fake));
    try {
      assert.equal(new Set(fakes.map(({ address }) => address)).size, 2 * count);
      assert.equal(folders.length, count);
      for (const [index, fake] of fakes.entries()) fake.push(...alerts(index));
      const got = await Promise.all(clients.map((client) => client.get()));
      assert.deepEqual(got, fakes.map((_, index) => rules(index)));
    } finally {
      await Promise.all(clients.map((client) => client.close()));
      await within("the ends", Promise.all(fakes.map((fake) => fake.stop())));
    }
    for (const folder of folders) assert.equal(await exists(folder), false);
    for (const fake of fakes) {
      const client = new BareClient(fake);
      await assert.rejects(client.session(), { name: "FalcoConnectError" });
      await client.close();
    }
  });
});
