/** `certs` as a process: what it writes, what it keeps, what it refuses. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { connect } from "../lib/client/connect.ts";
import { followRecipe, skipWithoutOpenssl } from "./openssl.ts";
import { runCli, startCli } from "./run_cli.ts";

const files = ["ca.crt", "ca.key", "client.crt", "client.key", "server.crt", "server.key"];

let folder: TempFolder;
before(async () => {
  folder = await makeTempFolder();
});
after(() => folder.remove());
let count = 0;
const newPath = (): string => join(folder.path, `certs-${count++}`);
const contents = (path: string): Record<string, string> =>
  Object.fromEntries(files.map((file) => [file, readFileSync(join(path, file), "utf8")]));

/** Runs it, and wants it to be done. */
async function make(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const { status, stdout, stderr } = await runCli(["certs", ...args]);
  assert.equal(status, 0, stderr);
  return { stdout, stderr };
}

/** Runs it, and wants it to refuse. */
async function refuse(message: RegExp, ...args: string[]): Promise<void> {
  const { status, stdout, stderr } = await runCli(["certs", ...args]);
  assert.equal(status, 2, stderr);
  assert.equal(stdout, "");
  assert.match(stderr, message);
  assert.equal(stderr.split("\n").length, 2, stderr);
}

describe("certs", () => {
  it("writes six files, and a configuration that serves with them", async () => {
    const path = newPath();
    const { stdout, stderr } = await make(path);
    assert.deepEqual(readdirSync(path).sort(), files);
    assert.equal(stderr, "the server's certificate is for localhost, 127.0.0.1, ::1\n");
    const config = stdout.replace("0.0.0.0:5060", "localhost:0");
    assert.notEqual(config, stdout);
    const fake = await FakeFalco.fromConfig(config);
    const tls = {
      ca: join(path, "ca.crt"),
      cert: join(path, "client.crt"),
      key: join(path, "client.key"),
    };
    const falco = connect(fake.address, { tls });
    try {
      assert.equal((await falco.version()).version, "0.43.1");
      // Falco's own schema has forgotten the three keys of the certificates, and no more is wrong.
      const { warnings } = fake.outputs!.config;
      assert.deepEqual(warnings.filter(({ message }) => !/but Falco uses it$/.test(message)), []);
    } finally {
      await falco.close();
      await fake.stop();
    }
  });

  it("keeps keys to their owner", { skip: process.platform === "win32" }, async () => {
    const path = newPath();
    await make(path);
    const modes = files.map((file) => statSync(join(path, file)).mode & 0o777);
    assert.deepEqual(modes.map((mode) => mode & ~0o044), files.map(() => 0o600));
    for (const key of ["ca.key", "client.key", "server.key"]) {
      assert.equal(modes[files.indexOf(key)], 0o600, key);
    }
  });

  it("makes them for the names, the days and the kind of key that are asked for", async () => {
    const path = newPath();
    const names = ["--name", "falco.example.test", "--name", "10.1.2.3"];
    const { stderr } = await make(path, ...names, "--days", "30", "--rsa");
    assert.match(stderr, /is for falco\.example\.test, 10\.1\.2\.3\n$/);
    const server = new X509Certificate(readFileSync(join(path, "server.crt")));
    assert.equal(server.checkHost("falco.example.test"), "falco.example.test");
    assert.equal(server.checkIP("10.1.2.3"), "10.1.2.3");
    assert.equal(server.checkHost("localhost"), undefined);
    assert.equal(server.publicKey.asymmetricKeyType, "rsa");
    const days = (Date.parse(server.validTo) - Date.now()) / 86_400_000;
    assert(days > 29.9 && days <= 30, String(days));
  });

  it("replaces nothing unless it is told to", async () => {
    const path = newPath();
    mkdirSync(path);
    writeFileSync(join(path, "server.key"), "a real Falco's");
    await refuse(/: it has server\.key already\. .*--renew.*--force/, path);
    assert.deepEqual(readdirSync(path), ["server.key"]);
    await make(path, "--force");
    assert.match(readFileSync(join(path, "server.key"), "utf8"), /BEGIN PRIVATE KEY/);
    const first = contents(path);
    await make(path, "--force");
    for (const file of files) assert.notEqual(contents(path)[file], first[file], file);
  });

  it("renews with the authority, the names and the kind of key that were there", async () => {
    const path = newPath();
    await make(path, "--name", "falco.example.test", "--rsa");
    const old = contents(path);
    const { stderr } = await make(path, "--renew", "--days", "2");
    assert.match(stderr, /is for falco\.example\.test\n/);
    assert.match(stderr, /restart it\n$/);
    const renewed = contents(path);
    for (const file of files) {
      assert.equal(renewed[file] === old[file], file.startsWith("ca."), file);
    }
    const server = new X509Certificate(renewed["server.crt"]!);
    assert.equal(server.publicKey.asymmetricKeyType, "rsa");
    assert.equal(server.verify(new X509Certificate(old["ca.crt"]!).publicKey), true);
    await make(path, "--renew", "--name", "localhost");
    const other = new X509Certificate(readFileSync(join(path, "server.crt")));
    assert.equal(other.checkHost("falco.example.test"), undefined);
    assert.equal(other.checkHost("localhost"), "localhost");
  });

  it("says what is missing for a renewal", async () => {
    await refuse(/ca\.crt: it is not there\. .*--force/, newPath(), "--renew");
    const path = newPath();
    await writeCertificates(path, await makeCertificates());
    await refuse(/ca\.key: it is not there\. .*--force/, path, "--renew");
    const { caKey } = await makeCertificates({ keepAuthorityKey: true });
    writeFileSync(join(path, "ca.key"), caKey!);
    const before = readFileSync(join(path, "server.key"), "utf8");
    await refuse(/ca\.crt has the key of another one/, path, "--renew");
    assert.equal(readFileSync(join(path, "server.key"), "utf8"), before);
  });

  it("needs names to renew what has none", { skip: skipWithoutOpenssl }, async () => {
    const path = newPath();
    mkdirSync(path);
    followRecipe(path);
    await refuse(/server\.crt: no names are in it\. Say with --name/, path, "--renew");
  });

  it("makes broken ones, and heals them", async () => {
    const path = newPath();
    const { stderr } = await make(path, "--broken", "expired", "--broken", "wrong-name");
    assert.match(stderr, /is for falco\.example\.test\nbroken on purpose: expired, wrong-name\n$/);
    const read = (file: string) => new X509Certificate(readFileSync(join(path, file)));
    assert(Date.parse(read("server.crt").validTo) < Date.now());
    for (const file of ["ca.crt", "client.crt"]) {
      assert(Date.parse(read(file).validTo) > Date.now(), file);
    }
    await make(path, "--renew", "--name", "localhost");
    assert(Date.parse(read("server.crt").validTo) > Date.now());
  });

  for (
    const { args, message } of [
      { args: [], message: /certs needs a folder/ },
      { args: ["a", "b"], message: /unexpected argument "b"/ },
      { args: ["a", "--days", "0"], message: /--days must be a whole number from 1 on/ },
      { args: ["a", "--days", "99999999"], message: /--days is 99999999\. / },
      { args: ["a", "--name", "a b"], message: /--name has "a b"\. / },
      { args: ["a", "--broken", "expird"], message: /--broken must be .*Did you mean expired\?/ },
      { args: ["a", "--renew", "--force"], message: /--force cannot be given with --renew/ },
      { args: ["a", "--renew", "--rsa"], message: /--rsa cannot be given with --renew/ },
      { args: ["a", "--renew", "--broken", "expired-authority"], message: /without --renew/ },
    ]
  ) {
    it(`refuses ${args.join(" ") || "no folder"}`, async () => {
      const path = newPath();
      await refuse(message, ...args.map((arg) => arg === "a" ? path : arg));
      assert(!existsSync(path));
    });
  }

  it("fails with the folder's name if it cannot write there", async () => {
    const path = newPath();
    writeFileSync(path, "");
    const { status, stderr } = await runCli(["certs", join(path, "below")]);
    assert.equal(status, 2, stderr);
    assert(stderr.includes(path), stderr);
  });
});

describe("fake with certificates of the recipe in Falco's documentation", {
  skip: skipWithoutOpenssl,
}, () => {
  for (const way of ["--certs", "-c"]) {
    it(`says with ${way} that Deno refuses its clients, and nothing elsewhere`, async () => {
      const path = newPath();
      mkdirSync(path);
      followRecipe(path);
      const config = join(path, "falco.yaml");
      const certs = `  private_key: ${path}/server.key\n  cert_chain: ${path}/server.crt\n` +
        `  root_certs: ${path}/ca.crt\n`;
      writeFileSync(
        config,
        `grpc:\n  enabled: true\n  bind_address: "localhost:0"\n${certs}grpc_output:\n` +
          "  enabled: true\n",
      );
      const args = way === "-c" ? ["-c", config] : ["--listen", "localhost:0", "--certs", path];
      const { child, firstLine, finished } = startCli(["fake", ...args]);
      await firstLine;
      process.kill(child.pid!, "SIGTERM");
      const { stderr } = await finished;
      assert.equal(/X\.509 version 1: on Deno, clients/.test(stderr), "Deno" in globalThis, stderr);
    });
  }
});
