/** Certificates that are renewed while a subscription is open. */
import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { test } from "node:test";
import { writeCertificates } from "../harness/certificates.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { connect } from "../lib/client/connect.ts";
import { systemClock } from "../lib/clock.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import { parseAddress } from "../lib/transport/address.ts";
import type { TlsCredentials } from "../lib/transport/credentials.ts";
import { openSession } from "../lib/transport/open_session.ts";
import {
  certificates,
  credentials,
  numbered,
  rejection,
  roundTrip,
  withServer,
} from "./client_probes.ts";
import { withOwnPort } from "./own_port.ts";
import { passAll, passBackoff, Story } from "./reconnect_probes.ts";
import { others } from "./tls_probes.ts";
import { within } from "./waits.ts";

/** A subscription that was open, with a Falco that comes back with certificates of another authority. */
async function withOther(
  tls: (folder: string) => TlsCredentials,
  run: (scene: {
    path: string;
    clock: FakeClock;
    story: Story;
    /** The next alert. */
    read: Promise<{ value?: { rule: string } | undefined }>;
    other: FakeFalco;
  }) => Promise<void>,
): Promise<void> {
  await withOwnPort(async (port) => {
    const folder = await makeTempFolder();
    await writeCertificates(folder.path, certificates);
    const first = await FakeFalco.start({ tls: certificates, listen: `https://localhost:${port}` });
    const clock = new FakeClock();
    const options = { tls: tls(folder.path), clock, connectTimeoutMs: 1e9 };
    const falco = connect(first.address, options);
    let other: FakeFalco | undefined;
    try {
      const alerts = falco.outputs.subscribe();
      const story = new Story(alerts);
      const read = alerts.getReader().read();
      read.catch(() => {}); // looked at later
      await roundTrip(falco);
      await story.nth("open", 1);
      await first.kill();
      other = await FakeFalco.start({ listen: first.address, tls: others });
      await run({ path: folder.path, clock, story, read, other });
    } finally {
      await falco.close();
      await first[Symbol.asyncDispose]();
      await other?.[Symbol.asyncDispose]();
      await folder.remove();
    }
  });
}

test("Subscription waits for certificates in files that are being renewed", () =>
  withOther(
    (folder) => ({
      ca: `${folder}/ca.crt`,
      cert: `${folder}/client.crt`,
      key: new URL(`file://${folder}/client.key`),
    }),
    async ({ path, clock, story, read, other }) => {
      const steps: readonly [state: RegExp, change: () => Promise<void>][] = [
        [/^Lost the connection to /, () => Promise.resolve()],
        [/not signed by the authority in "tls\.ca"/, () => writeFile(`${path}/client.crt`, "")],
        [/client\.crt" .+ holds no PEM block/, () => rm(`${path}/client.crt`)],
        [
          /client\.crt" .+ cannot be read/,
          () => writeFile(`${path}/client.crt`, others.client.cert),
        ],
        [/client\.key" .+ does not belong to the certificate/, () =>
          writeFile(`${path}/ca.crt`, others.ca)],
        [/client\.key" .+ does not belong to the certificate/, () =>
          writeCertificates(path, others)],
      ];
      for (const [index, [state, change]] of steps.entries()) {
        const reconnecting = await story.nth("reconnecting", index + 1);
        const error = reconnecting.error as FalcoConnectError;
        assert.match(error.message, state);
        assert.equal(error.passing, true);
        await change();
        await passBackoff(clock, reconnecting);
      }
      await story.nth("open", 2);
      other.push(numbered(7));
      assert.equal((await passAll(clock, read)).value?.rule, numbered(7).rule);
    },
  ));

test("Subscription does not wait for certificates that are given as text", () =>
  withOther(() => credentials, async ({ clock, story, read }) => {
    await passBackoff(clock, await story.nth("reconnecting", 1));
    const error = await within("the end", rejection(read));
    assert(error instanceof FalcoConnectError);
    assert.deepEqual([error.reason, error.passing], ["tls", false]);
  }));

test("Subscription does not wait for a file that was never there", async () => {
  const ca = "/nowhere/ca.crt";
  const falco = connect("https://localhost:5060", { tls: { ...credentials, ca } });
  try {
    const error = await rejection(falco.outputs.subscribe().getReader().read());
    assert(error instanceof FalcoConnectError);
    assert.deepEqual([error.reason, error.passing], ["tls", false]);
  } finally {
    await falco.close();
  }
});

test("openSession() gives certificates that TLS itself refuses another chance, once they were good", async () => {
  // Well-formed PEM, and no certificate: only who makes the connection finds out.
  const cert = "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\n";
  const { ca, client } = certificates;
  await withServer(createServer(), "tls", async (address) => {
    for (const renewable of [false, true]) {
      const error = await rejection((async () => {
        await openSession(parseAddress(address), {
          loaded: { ca, cert, key: client.key },
          renewable,
          late: new AbortController().signal,
          endMs: systemClock.now() + 10_000,
          clock: systemClock,
          signal: new AbortController().signal,
        }).ready;
      })());
      assert(error instanceof FalcoConnectError);
      assert.deepEqual([error.reason, error.passing], ["tls", renewable]);
    }
  });
});
