/** Where a gateway's alerts come from, and what becomes of it when they stop coming. */
import assert from "node:assert/strict";
import { appendFile, rename, writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { startGateway } from "../gateway/mod.ts";
import type { GatewaySourceConfig } from "../gateway/mod.ts";
import { makeCertificates } from "../harness/certificates.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { decodeAlert, encodeAlert } from "../lib/alert/wire.ts";
import { FalcoError } from "../lib/errors.ts";
import { alerts, exists, rules } from "./fake_falco_clients.ts";
import { configOf, withGateway } from "./gateway_probes.ts";
import type { GatewayScene } from "./gateway_probes.ts";
import { post, RawConnection } from "./raw_http.ts";
import { until, within } from "./waits.ts";

const replay = { replay: { alerts: 1000 } };

/** Lines as Falco writes them. */
const lines = (some: readonly Alert[]): string =>
  some.map((alert) => `${formatAlert(alert)}\n`).join("");

const withSource = (
  source: (folder: string) => GatewaySourceConfig,
  body: (scene: GatewayScene) => Promise<void>,
  stdin?: ReadableStream<Uint8Array>,
) =>
  withGateway(
    (folder) => configOf(folder, "unix", replay, { sources: [source(folder)] }),
    body,
    stdin === undefined ? {} : { stdin },
  );

const up = (scene: GatewayScene): boolean => scene.metric('source_up{source="in"}') === 1;
const received = (scene: GatewayScene, count: number): Promise<void> =>
  until(`${count} alerts`, () => scene.metric('source_received_total{source="in"}') === count);

describe("a gateway's source", () => {
  it("over gRPC outlives its Falco, and what it brings is the same alert", async () => {
    const folder = await makeTempFolder();
    const address = `unix://${folder.path}/falco.sock`;
    try {
      await withSource(
        () => ({ name: "in", type: "grpc", address, maxPollMs: 10 }),
        async (scene) => {
          await until(
            "it has seen that there is none",
            () => scene.log.some(({ event, state }) => event === "source" && state === "down"),
          );
          assert(!up(scene));
          assert.equal(scene.gateway.notReady(), "no source is up");
          for (const round of [1, 2]) {
            const fake = await FakeFalco.start({ listen: address });
            const sent = alerts(round * 10, round * 10 + 4);
            fake.push(...sent);
            await received(scene, round * 5);
            assert(up(scene));
            assert.equal(scene.gateway.notReady(), undefined);
            await fake.kill();
            await until("it has noticed", () => !up(scene));
          }
          const got = scene.client().outputs.get();
          const expected = [...alerts(10, 14), ...alerts(20, 24)].map((alert) =>
            decodeAlert(encodeAlert(alert))
          );
          assert.deepEqual(await Array.fromAsync(got), expected);
        },
      );
    } finally {
      await folder.remove();
    }
  });

  it("that is a file need not be there, and is followed over rotation", async () => {
    await withSource((folder) => ({
      name: "in",
      type: "file",
      path: `${folder}/alerts.json`,
      from: "start",
      pollMs: 10,
    }), async (scene) => {
      const path = `${scene.folder}/alerts.json`;
      await until("it is missed", () => scene.log.some(({ state }) => state === "down"));
      await writeFile(path, lines(alerts(1, 2)));
      await received(scene, 2);
      assert(up(scene));
      await rename(path, `${path}.1`);
      await appendFile(`${path}.1`, lines(alerts(3)));
      await writeFile(path, `no alert\n${lines(alerts(4))}`);
      await received(scene, 4);
      assert.deepEqual(await scene.dial().get(), rules(1, 4));
      assert.equal(scene.metric('source_invalid_total{source="in"}'), 1);
      assert(scene.log.some(({ event, source }) => event === "invalid" && source === "in"));
    });
  });

  it("that is a file begins at its end unless it is told otherwise", async () => {
    await withSource((folder) => ({
      name: "in",
      type: "file",
      path: `${folder}/alerts.json`,
      pollMs: 10,
    }), async (scene) => {
      const path = `${scene.folder}/alerts.json`;
      await until("it is missed", () => scene.log.some(({ state }) => state === "down"));
      await writeFile(`${path}.new`, lines(alerts(1)));
      await rename(`${path}.new`, path);
      await received(scene, 1); // it was not there: all of it is new
    });
  });

  it("that is standard input ends the gateway with it, when clients have what they are owed", async () => {
    const folder = await makeTempFolder();
    try {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const gateway = await startGateway({
        version: 1,
        drainMs: 10_000,
        sources: [{ name: "in", type: "stdin" }],
        listeners: [{
          name: "out",
          address: `unix://${folder.path}/gateway.sock`,
          delivery: "shared",
        }],
      }, { stdin: readable });
      const writer = writable.getWriter();
      await writer.write(new TextEncoder().encode(lines(alerts(1, 5))));
      await writer.close();
      await until("it is stopping", () => gateway.notReady() === "the gateway is stopping");
      // Still served: the alerts are owed to whoever asks.
      const { BareClient } = await import("./fake_falco_clients.ts");
      const client = new BareClient({
        address: gateway.addresses.get("out")!,
        credentials: undefined,
      });
      assert.deepEqual(await client.get(), rules(1, 5));
      await client.close();
      await within("the end", gateway.closed);
      assert(!await exists(`${folder.path}/gateway.sock`));
    } finally {
      await folder.remove();
    }
  });

  it("that is a receiver refuses what it must, counted by reason", async () => {
    await withGateway((folder) =>
      configOf(folder, "unix", replay, {
        sources: [{
          name: "in",
          type: "http",
          listen: "127.0.0.1:0",
          path: "/falco",
          token: "s3cret",
          maxBodyBytes: 2000,
          requestTimeoutMs: 300,
        }],
      }), async (scene) => {
      const url = scene.gateway.receivers.get("in")!;
      assert(url.endsWith("/falco"));
      const [alert] = alerts(1);
      const body = formatAlert(alert!);
      const send = async (path: string, text: string, token: string): Promise<number> => {
        const headers = { authorization: `Bearer ${token}` };
        const response = await fetch(new URL(path, url), { method: "POST", body: text, headers });
        await response.text();
        return response.status;
      };
      assert.equal(await send("/falco", body, "wrong"), 401);
      assert.equal(await send("/other", body, "s3cret"), 404);
      assert.equal(await send("/falco", "x".repeat(3000), "s3cret"), 413);
      assert.equal(await send("/falco", '{"rule":', "s3cret"), 400);
      assert.equal(await send("/falco", body, "s3cret"), 200);
      const slow = new RawConnection(url);
      slow.send(post(body).slice(0, 30));
      await within("the slow sender to be cut", slow.closed);
      const refused = (reason: string) =>
        scene.metric(`source_refused_total{source="in",reason="${reason}"}`);
      assert.deepEqual(["authorization", "address", "size", "timeout"].map(refused), [1, 1, 1, 1]);
      assert.equal(scene.metric('source_invalid_total{source="in"}'), 1);
      await received(scene, 1);
      assert.deepEqual(await scene.dial().get(), rules(1));
    });
  });

  it("that takes the token from a file wants it to hold one", async () => {
    const folder = await makeTempFolder();
    try {
      const start = (tokenFile: string) =>
        startGateway(configOf(folder.path, "unix", {}, {
          sources: [{ name: "in", type: "http", listen: "127.0.0.1:0", tokenFile }],
        }));
      await assert.rejects(() => start(`${folder.path}/none`), {
        name: "FalcoError",
        message: /^Cannot read the token: .* Check "tokenFile"$/s,
      });
      await writeFile(`${folder.path}/token`, " \n");
      await assert.rejects(() => start(`${folder.path}/token`), /^FalcoError: .* is empty$/);
      await writeFile(`${folder.path}/token`, " s3cret\n");
      const gateway = await start(`${folder.path}/token`);
      const headers = { authorization: "Bearer s3cret" };
      const [alert] = alerts(1);
      const url = gateway.receivers.get("in")!;
      const { status } = await fetch(url, { method: "POST", body: formatAlert(alert!), headers });
      assert.equal(status, 200);
      await gateway.close();
    } finally {
      await folder.remove();
    }
  });
});

describe("startGateway", () => {
  it("leaves nothing open when it cannot start", async () => {
    const folder = await makeTempFolder();
    try {
      const config = configOf(folder.path, "unix");
      const [source] = config.sources;
      const running = await startGateway(config);
      const taken = new URL(running.receivers.get("in")!).host;
      const path = `${folder.path}/other.sock`;
      await assert.rejects(() =>
        startGateway({
          ...config,
          sources: [source!, { name: "taken", type: "http", listen: taken }],
          listeners: [{ name: "out", address: `unix://${path}` }],
          admin: { listen: "127.0.0.1:0" },
        }), (error) => error instanceof FalcoError && error.message.includes(taken));
      assert(!await exists(path));
      await assert.rejects(
        () =>
          startGateway({
            ...config,
            listeners: [{
              name: "out",
              address: "localhost:0",
              tls: { ca: `${folder.path}/none`, cert: "x", key: "y" },
            }],
          }),
        /Cannot start the listener "out": the file .*none.* of the option "tls\.ca"/,
      );
      const [ours, theirs] = await Promise.all([makeCertificates(), makeCertificates()]);
      const tls = { ca: ours.ca, ...ours.server, key: theirs.server.key };
      await assert.rejects(
        () =>
          startGateway({
            ...config,
            listeners: [{ name: "out", address: "localhost:0", tls }],
          }),
        /Cannot start the listener "out": the key in .*"tls\.key" does not belong to the certificate in /,
      );
      await running.close();
    } finally {
      await folder.remove();
    }
  });
});
