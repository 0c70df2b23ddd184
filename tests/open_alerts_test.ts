import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import {
  AlertLines,
  FalcoError,
  FollowedFile,
  formatAlert,
  HttpReceiver,
  openAlerts,
  Subscription,
} from "../mod.ts";
import type { OpenedAlerts } from "../mod.ts";

let folder: TempFolder;
let file: string;

before(async () => {
  folder = await makeTempFolder();
  file = join(folder.path, "alerts.json");
  await writeFile(file, `${formatAlert(buildAlert({ rule: "from a file" }))}\n`);
});
after(() => folder.remove());

/** The rule of the first alert; leaves the source. */
async function firstRule(alerts: OpenedAlerts): Promise<string | undefined> {
  for await (const { rule } of alerts) return rule;
  return undefined;
}

describe("openAlerts()", () => {
  it("takes a socket for gRPC, by its address or its path", async () => {
    const fake = await FakeFalco.start();
    try {
      for (const address of [fake.address, fake.address.replace("unix://", "")]) {
        fake.push(buildAlert({ rule: "over gRPC" }));
        const alerts = await openAlerts(address);
        assert(alerts instanceof Subscription);
        assert.equal(await firstRule(alerts), "over gRPC");
        assert.equal(alerts.stats().received, 1);
        // A call that is being left would get the next alert, and nobody would read it.
        while (fake.requests.some(({ open }) => open)) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    } finally {
      await fake.stop();
    }
  });

  it("connects over TLS, with what connect() needs", async () => {
    const fake = await FakeFalco.start({ tls: true });
    try {
      fake.push(buildAlert({ rule: "over TLS" }));
      const alerts = await openAlerts(fake.address, { connect: { tls: fake.credentials } });
      assert.equal(await firstRule(alerts), "over TLS");
    } finally {
      await fake.stop();
    }
  });

  it("follows a file, by its URL or its path", async () => {
    for (const address of [pathToFileURL(file).href, file]) {
      const alerts = await openAlerts(address);
      assert(alerts instanceof FollowedFile);
      assert.equal(await firstRule(alerts), "from a file");
    }
    const once = await openAlerts(file, { follow: { once: true } });
    assert.equal((await Array.fromAsync<unknown>(once)).length, 1);
  });

  it("listens for what is posted", async () => {
    const alerts = await openAlerts("http-receiver://127.0.0.1:0/falco");
    assert(alerts instanceof HttpReceiver);
    assert.match(alerts.url, /^http:\/\/127\.0\.0\.1:[1-9]\d*\/falco$/);
    await fetch(alerts.url, { method: "POST", body: formatAlert(buildAlert({ rule: "posted" })) });
    assert.equal(await firstRule(alerts), "posted");
    await assert.rejects(openAlerts("https-receiver://127.0.0.1:0/"), /it has no certificate/);
    const receive = { tls: { cert: "x", key: "y" } };
    await assert.rejects(openAlerts("http-receiver://127.0.0.1:0/", { receive }), TypeError);
  });

  it("reads standard input", async () => {
    const program = fileURLToPath(new URL("read_stdin.ts", import.meta.url));
    const args = "Deno" in globalThis ? ["run", "--no-prompt", program] : [program];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin.end(`${formatAlert(buildAlert({ rule: "piped" }))}\nEvents detected: 1\n`);
    let printed = "";
    for await (const chunk of child.stdout) printed += chunk;
    assert.equal(
      printed,
      '["piped"] {"received":1,"lines":2,"other":1,"invalid":0,"lossyText":0}\n',
    );
    assert(AlertLines.prototype.stats !== undefined);
  });

  it("ends with the reason of its signal, whatever the source", async () => {
    const fake = await FakeFalco.start();
    const addresses = [fake.address, file, "http-receiver://127.0.0.1:0/"];
    for (const address of addresses) {
      const stop = new AbortController();
      const alerts = await openAlerts(address, { signal: stop.signal, follow: { from: "end" } });
      const reading = (alerts as ReadableStream<unknown>).getReader().read();
      const reason = new Error("enough");
      stop.abort(reason);
      await assert.rejects(reading, reason);
    }
    await fake[Symbol.asyncDispose]();
  });

  it("refuses what it does not know", async () => {
    await assert.rejects(openAlerts("ftp://host/x"), /unknown scheme "ftp"\. Use unix:, https:/);
    await assert.rejects(openAlerts(folder.path), /neither a socket nor a file/);
    await assert.rejects(
      openAlerts(join(folder.path, "none")),
      (error) => error instanceof FalcoError && /say what it will be/.test(error.message),
    );
  });
});
