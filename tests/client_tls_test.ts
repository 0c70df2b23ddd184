/** Mutual TLS: whose certificates fit each other, and what is said when they do not. */
import assert from "node:assert/strict";
import { createSecureServer } from "node:http2";
import { test } from "node:test";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { connect } from "../lib/client/connect.ts";
import { systemClock } from "../lib/clock.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import { parseAddress } from "../lib/transport/address.ts";
import type { TlsCredentials } from "../lib/transport/credentials.ts";
import { SessionManager } from "../lib/transport/session_manager.ts";
import { certificates, credentials, rejection, withServer } from "./client_probes.ts";
import { withOwnPort } from "./own_port.ts";
import { assertFails, others } from "./tls_probes.ts";

const cases: readonly { name: string; tls: TlsCredentials; message: RegExp }[] = [
  {
    name: "an authority that did not sign Falco's certificate",
    tls: { ...credentials, ca: others.ca },
    message: /Falco's certificate is not signed by the authority in "tls\.ca" \(.+\)\. Pass the/,
  },
  {
    name: "another serverName",
    tls: { ...credentials, serverName: "falco.example.test" },
    message:
      /Falco's certificate is not valid for the name "falco\.example\.test"\. .+"tls\.serverName"/,
  },
  {
    name: "a client certificate of another authority",
    tls: { ...credentials, ...others.client },
    message:
      /TLS failed \(.+\)\. Check that "tls\.cert" is signed by the authority in Falco's grpc/,
  },
];

for (const { name, tls, message } of cases) {
  test(`FalcoClient reports ${name}`, async () => {
    const fake = await FakeFalco.start({ tls: certificates });
    try {
      await assertFails(fake.address, tls, message);
      // Falco is none the worse for it.
      const falco = connect(fake.address, { tls: credentials });
      assert.equal((await falco.version()).minor, 43);
      await falco.close();
      assert.equal(fake.requests.length, 1);
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });
}

test("FalcoClient reaches a Falco by the name in its certificate", async () => {
  const named = await makeCertificates({ names: ["falco.example.test"] });
  const fake = await FakeFalco.start({ tls: named });
  const tls = fake.credentials!;
  try {
    await assertFails(
      fake.address,
      tls,
      /Falco's certificate is not valid for the name "localhost"\. Make one that lists it as/,
    );
    const falco = connect(fake.address, { tls: { ...tls, serverName: "falco.example.test" } });
    assert.equal((await falco.version()).minor, 43);
    await falco.close();
  } finally {
    await fake[Symbol.asyncDispose]();
  }
});

test("FalcoClient reaches a Falco by an IP address in its certificate", async () => {
  const fake = await FakeFalco.start({ listen: "127.0.0.1:0", tls: certificates });
  const falco = connect(fake.address, { tls: credentials });
  try {
    assert.match(falco.address, /^https:\/\/127\.0\.0\.1:/);
    assert.equal((await falco.version()).minor, 43);
  } finally {
    await falco.close();
    await fake[Symbol.asyncDispose]();
  }
});

test("FalcoClient takes renewed certificates with the next connection", () =>
  withOwnPort(async (port) => {
    const folder = await makeTempFolder();
    const { path } = folder;
    await writeCertificates(path, certificates);
    const first = await FakeFalco.start({ tls: certificates, listen: `https://localhost:${port}` });
    const { address } = first;
    const falco = connect(address, {
      tls: {
        ca: `${path}/ca.crt`,
        cert: new URL(`file://${path}/client.crt`),
        key: `${path}/client.key`,
      },
    });
    try {
      await falco.version();
      await first.kill();
      await rejection(falco.version());
      const second = await FakeFalco.start({ listen: address, tls: others });
      try {
        assert.equal((await rejection(falco.version()) as FalcoConnectError).reason, "tls");
        await writeCertificates(path, others);
        assert.equal((await falco.version()).minor, 43);
      } finally {
        await falco.close();
        await second.kill();
      }
    } finally {
      await falco.close();
      await first[Symbol.asyncDispose]();
      await folder.remove();
    }
  }));

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`FalcoClient survives a server that refuses its certificate under ${maxVersion}`, async () => {
    // Under TLS 1.3 the refusal comes after the client believes to be connected. A wait for the
    // connection that only looks at states would spin for ever, and no timer would fire any more.
    const server = createSecureServer({
      ca: certificates.ca,
      ...certificates.server,
      requestCert: true,
      rejectUnauthorized: true,
      maxVersion,
    });
    await withServer(server, "tls", async (address) => {
      const tls = { ...credentials, ...others.client };
      const start = Date.now();
      for (let round = 0; round < 5; round++) {
        const falco = connect(address, { tls });
        const controller = new AbortController();
        let ticks = 0;
        const tick = (): void => {
          ticks++;
          if (!controller.signal.aborted) systemClock.setTimer(tick, 0);
        };
        tick();
        const error = await rejection(falco.version());
        assert(error instanceof FalcoConnectError);
        assert.equal(error.reason, "tls");
        controller.abort();
        await new Promise<void>((resolve) => void systemClock.setTimer(resolve, 0));
        assert(ticks > 1);
        await falco.close();
      }
      assert(Date.now() - start < 10_000);
    });
  });
}

test("SessionManager fails without certificates, too", async () => {
  const fake = await FakeFalco.start({ tls: certificates });
  const manager = new SessionManager(parseAddress(fake.address), { connectTimeoutMs: 5000 });
  try {
    const error = await rejection(manager.session());
    assert(error instanceof FalcoConnectError);
    assert.equal(error.reason, "tls");
  } finally {
    await manager.close();
    await fake[Symbol.asyncDispose]();
  }
});
