import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import { loadCredentials } from "../lib/transport/credentials.ts";
import type { TlsCredentials } from "../lib/transport/credentials.ts";
import { certificates, credentials } from "./client_probes.ts";
import { openssl, skipWithoutOpenssl } from "./openssl.ts";

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

/** What is wrong with a PEM, and what is said of it; `kind` is what it should have held. */
const brokenPems: readonly {
  name: string;
  make(pem: string): string;
  problem(kind: string, label: string): string;
}[] = [
  {
    name: "holds nonsense",
    make: (pem) => pem.replace(/\n[^-]+\n/, "\nbm90aGluZw==\n"),
    problem: (_, label) =>
      `is a broken PEM: its ${label} cannot be read \\(.+\\)\\. Copy it again from`,
  },
  {
    name: "holds something that is not base64",
    make: (pem) => pem.replace(/\n[^-]+\n/, "\n<html>404 Not Found</html>\n"),
    problem: (_, label) =>
      `is a broken PEM: its ${label} cannot be read \\(.+\\)\\. Copy it again from`,
  },
  {
    name: "was cut short",
    make: (pem) => pem.slice(0, -40),
    problem: (_, label) =>
      `is a broken PEM: its ${label} has no last line\\. Copy it again, all of it$`,
  },
  {
    name: "has lost a line",
    make: (pem) => pem.replace(/\n[^-\n]+\n/, "\n"),
    problem: (_, label) =>
      `is a broken PEM: its ${label} cannot be read \\(.+\\)\\. Copy it again from`,
  },
  {
    name: "is indented",
    make: (pem) => pem.replaceAll(/^/gm, "  "),
    problem: () =>
      'is a broken PEM: no line of it is "-----BEGIN \\.\\.\\.-----" and nothing else\\. Keep its line',
  },
  {
    name: "holds a request for a certificate",
    make: (pem) => pem.replaceAll(/(BEGIN|END) [A-Z ]+/g, "$1 CERTIFICATE REQUEST"),
    problem: (kind) => `holds no ${kind}, but CERTIFICATE REQUEST\\. Pass the ${kind}$`,
  },
];

for (const option of ["ca", "cert", "key"] as const) {
  const label = option === "key" ? "PRIVATE KEY" : "CERTIFICATE";
  const kind = option === "key" ? "private key" : "certificate";
  for (const { name, make, problem } of brokenPems) {
    test(`loadCredentials() names tls.${option} if its PEM ${name}, and the file`, async () => {
      const pem = make(expected[option]);
      const words = problem(kind, label);
      await assertRefused(
        { ...credentials, [option]: pem },
        new RegExp(`: the option "tls\\.${option}" ${words}`),
      );
      await withFolder(async (path) => {
        await writeFile(`${path}/bad.pem`, pem);
        const { message } = await assertRefused(
          { ...credentials, [option]: pathToFileURL(`${path}/bad.pem`) },
          new RegExp(
            `: the file "file://${path}/bad\\.pem" of the option "tls\\.${option}" ${words}`,
          ),
        );
        // Nothing of the text may get into a log.
        for (const line of pem.split("\n").filter((one) => /^[A-Za-z0-9+/=]{8,}$/.test(one))) {
          assert(!message.includes(line), message);
        }
      });
    });
  }

  test(`loadCredentials() takes a PEM for tls.${option} as other programs write it`, async () => {
    for (
      const pem of [
        expected[option].replaceAll("\n", "\r\n"),
        expected[option].replaceAll("\n", "  \n"),
        expected[option].trimEnd(),
        `Bag Attributes\n    friendlyName: falco\n${expected[option]}`,
      ]
    ) {
      assert.equal(
        (await loadCredentials({ ...credentials, [option]: pem }, ADDRESS))[option],
        pem,
      );
    }
    const marked = `\ufeff${expected[option]}`;
    const loaded = await loadCredentials({ ...credentials, [option]: marked }, ADDRESS);
    assert.equal(loaded[option], expected[option]);
  });
}

test("loadCredentials() names the certificate of a chain that is broken", async () => {
  const second = `${certificates.ca}${certificates.ca.replace(/\n[^-]+\n/, "\nbm90aGluZw==\n")}`;
  await assertRefused(
    { ...credentials, ca: second },
    /: the option "tls\.ca" is a broken PEM: CERTIFICATE 2 of 2 cannot be read \(/,
  );
});

test("loadCredentials() takes certificate and key from one file", async () => {
  const both = certificates.client.key + certificates.client.cert;
  await loadCredentials({ ...credentials, cert: both, key: both }, ADDRESS);
});

test("loadCredentials() says that certificate and key were swapped", async () => {
  await assertRefused(
    { ...credentials, cert: certificates.client.key, key: certificates.client.cert },
    /: the option "tls\.cert" holds no certificate, but PRIVATE KEY\. Pass the certificate$/,
  );
});

test("loadCredentials() names both files if the key is another's", async () => {
  const { client } = await makeCertificates();
  await withFolder(async (path) => {
    await writeCertificates(path, certificates);
    await writeFile(`${path}/other.key`, client.key);
    await assertRefused(
      { ca: `${path}/ca.crt`, cert: `${path}/client.crt`, key: `${path}/other.key` },
      new RegExp(
        `: the key in the file "${path}/other\\.key" of the option "tls\\.key" does not belong to ` +
          `the certificate in the file "${path}/client\\.crt" of the option "tls\\.cert"\\. Pass the`,
      ),
    );
  });
});

test("loadCredentials() takes every kind of key that openssl makes, but none with a password", {
  skip: skipWithoutOpenssl,
  timeout: 120_000,
}, async () => {
  await withFolder(async (path) => {
    const run = (...args: string[]) => {
      const { status, text } = openssl(path, args);
      assert.equal(status, 0, text);
    };
    const self = ["-subj", "/CN=client", "-out", "client.crt"];
    const kinds: readonly (readonly string[])[] = [
      ["genrsa", "-traditional", "-out", "client.key", "2048"],
      ["genpkey", "-algorithm", "RSA", "-out", "client.key"],
      ["genpkey", "-algorithm", "ED25519", "-out", "client.key"],
      // With a block of parameters before the key.
      ["ecparam", "-name", "secp384r1", "-genkey", "-out", "client.key"],
    ];
    const paths = { ca: certificates.ca, cert: `${path}/client.crt`, key: `${path}/client.key` };
    for (const kind of kinds) {
      run(...kind);
      run("req", "-x509", "-key", "client.key", ...self);
      await loadCredentials(paths, ADDRESS);
    }
    const encrypted =
      /: the file ".+locked\.key" of the option "tls\.key" holds a key that is encrypted, and its .+Decrypt/;
    const password = ["-aes128", "-passout", "pass:1234", "-out", "locked.key"];
    for (const old of [[], ["-traditional"]]) {
      run("pkey", "-in", "client.key", ...old, ...password);
      await assertRefused({ ...paths, key: `${path}/locked.key` }, encrypted);
    }
  });
});

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
