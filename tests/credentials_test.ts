import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { writeCertificates } from "../harness/certificates.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import { loadCredentials } from "../lib/transport/credentials.ts";
import type { TlsCredentials } from "../lib/transport/credentials.ts";
import { certificates, credentials } from "./client_probes.ts";

const ADDRESS = "https://localhost:5060";

async function withFolder(run: (path: string) => Promise<void>): Promise<void> {
  const folder = await makeTempFolder();
  try {
    await run(folder.path);
  } finally {
    await folder.remove();
  }
}

async function assertRefused(tls: TlsCredentials, problem: RegExp): Promise<FalcoConnectError> {
  let caught: FalcoConnectError | undefined;
  await assert.rejects(loadCredentials(tls, ADDRESS), (error) => {
    assert(error instanceof FalcoConnectError);
    assert.equal(error.reason, "tls");
    assert.equal(error.address, ADDRESS);
    assert(error.message.startsWith(`Cannot connect to ${ADDRESS}: `));
    assert.match(error.message, problem);
    caught = error;
    return true;
  });
  return caught!;
}

const expected = { ca: certificates.ca, ...certificates.client };

test("loadCredentials() takes PEM text as it is", async () => {
  assert.deepEqual(await loadCredentials(credentials, ADDRESS), expected);
  // A chain, with what openssl writes in front of it.
  const ca = `subject=CN = one\n${certificates.ca}\n${certificates.ca}`;
  assert.equal((await loadCredentials({ ...credentials, ca }, ADDRESS)).ca, ca);
});

test("loadCredentials() reads paths and file URLs", async () => {
  await withFolder(async (path) => {
    await writeCertificates(path, certificates);
    const paths = { ca: `${path}/ca.crt`, cert: `${path}/client.crt`, key: `${path}/client.key` };
    assert.deepEqual(await loadCredentials(paths, ADDRESS), expected);
    const urls = {
      ca: pathToFileURL(paths.ca),
      cert: pathToFileURL(paths.cert),
      key: certificates.client.key,
    };
    assert.deepEqual(await loadCredentials(urls, ADDRESS), expected);
  });
});

test("loadCredentials() hands on the name of the server", async () => {
  const loaded = await loadCredentials({ ...credentials, serverName: "falco" }, ADDRESS);
  assert.deepEqual(loaded, { ...expected, servername: "falco" });
});

for (const option of ["ca", "cert", "key"] as const) {
  test(`loadCredentials() names tls.${option} if it was left out`, async () => {
    const tls = { ...credentials, [option]: undefined } as unknown as TlsCredentials;
    await assertRefused(
      tls,
      new RegExp(`the option "tls\\.${option}" is missing\\. Pass PEM text`),
    );
  });

  test(`loadCredentials() names tls.${option} if its file is missing or holds no PEM`, async () => {
    await withFolder(async (path) => {
      const missing = `${path}/none.pem`;
      const error = await assertRefused(
        { ...credentials, [option]: missing },
        new RegExp(
          `the file "${missing}" of the option "tls\\.${option}" cannot be read \\(.+\\)\\.`,
        ),
      );
      assert.equal((error.cause as NodeJS.ErrnoException).code, "ENOENT");
      await assertRefused(
        { ...credentials, [option]: pathToFileURL(missing) },
        new RegExp(`the file "file://${missing}" of the option "tls\\.${option}" cannot be read`),
      );
      await writeFile(`${path}/der.crt`, new Uint8Array([0x30, 0x82, 0x01, 0x0a]));
      await assertRefused(
        { ...credentials, [option]: `${path}/der.crt` },
        new RegExp(`"tls\\.${option}" holds no PEM block\\. Convert it with openssl`),
      );
    });
  });
}

test("loadCredentials() does not take text without PEM for a path", async () => {
  await assertRefused(
    { ...credentials, key: "MIIEvQIBADANBgkqhkiG\n9w0BAQEFAASCBKcw\n" },
    /the option "tls\.key" is text without a PEM block\. Pass PEM text or a path$/,
  );
});

test("loadCredentials() never puts the key into its error", async () => {
  const secret = "c2VjcmV0\nc2VjcmV0";
  const error = await assertRefused({ ...credentials, key: secret }, /tls\.key/);
  assert(!error.message.includes("c2VjcmV0"));
});

test("loadCredentials() refuses a folder and a URL that is no file", async () => {
  await assertRefused({ ...credentials, ca: "/tmp" }, /"tls\.ca" cannot be read/);
  await assertRefused(
    { ...credentials, ca: new URL("https://localhost/ca.crt") },
    /the file "https:\/\/localhost\/ca\.crt" of the option "tls\.ca" cannot be read/,
  );
});
