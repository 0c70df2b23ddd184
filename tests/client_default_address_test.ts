/** Several addresses for one Falco, as the default has. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeFalco } from "../harness/fake_falco.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { connect } from "../lib/client/connect.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import type { FalcoConnectReason } from "../lib/errors.ts";
import { parseAddress } from "../lib/transport/address.ts";
import { mostTelling } from "../lib/transport/most_telling.ts";
import { SessionManager } from "../lib/transport/session_manager.ts";
import { rejection } from "./client_probes.ts";
import { until } from "./waits.ts";

async function withTwo(
  run: (manager: SessionManager, first: string, second: string) => Promise<void>,
): Promise<void> {
  const folder = await makeTempFolder();
  const [first, second] = ["new", "old"].map((name) => `unix://${folder.path}/${name}.sock`);
  const manager = new SessionManager(parseAddress(first!), {
    connectTimeoutMs: 5000,
    alternatives: [parseAddress(second!)],
  });
  try {
    await run(manager, first!, second!);
  } finally {
    await manager.close();
    await folder.remove();
  }
}

test("SessionManager takes the older socket if the newer is not there", async () => {
  await withTwo(async (manager, first, second) => {
    assert.equal(manager.address.text, first);
    assert.equal(manager.tried, `${first} or ${second}`);
    const older = await FakeFalco.start({ listen: second });
    await manager.session();
    assert.equal(manager.address.text, second);
    await older.kill();
    // Left behind by a killed Falco; the newer one is looked for first again.
    const newer = await FakeFalco.start({ listen: first });
    await until("the loss is seen", () => !manager.connected);
    await manager.session();
    assert.equal(manager.address.text, first);
    await manager.close();
    await newer.stop();
  });
});

test("SessionManager says what was tried", async () => {
  await withTwo(async (manager, first, second) => {
    const error = await rejection(manager.session());
    assert(error instanceof FalcoConnectError);
    assert.equal(error.reason, "not-found");
    assert(error.passing);
    assert(error.message.startsWith(`Cannot connect to ${first}: no such file. `));
    const tried = `. Tried ${first} (not-found) and ${second} (not-found)`;
    assert(error.message.endsWith(tried), error.message);

    // A socket that is there says more than one that is not.
    const killed = await FakeFalco.start({ listen: second });
    await killed.kill();
    const refused = await rejection(manager.session()) as FalcoConnectError;
    assert.equal(refused.reason, "refused");
    assert(refused.message.startsWith(`Cannot connect to ${second}: nobody listens`));
    assert(refused.message.endsWith(`${first} (not-found) and ${second} (refused)`));
  });
});

test("mostTelling() ranks failures, and keeps a single one as it is", () => {
  const of = (reason: FalcoConnectReason, cause?: unknown) =>
    new FalcoConnectError(`because ${reason}`, { address: `unix:///${reason}`, reason, cause });
  const single = of("lost");
  assert.equal(mostTelling([single]), single);
  const pick = (...failures: FalcoConnectError[]) => mostTelling(failures);
  assert.equal(pick(of("not-found"), of("permission")).reason, "permission");
  assert.equal(pick(of("refused"), of("not-found")).reason, "refused");
  assert.equal(pick(of("timeout"), of("protocol")).reason, "protocol");
  // What Deno was not told of says nothing about Falco.
  const notCapable = Object.assign(new Error("Requires net access"), { name: "NotCapable" });
  assert.equal(pick(of("not-found"), of("permission", notCapable)).reason, "not-found");
  assert.equal(pick(of("permission"), of("not-found")).passing, true);
  assert.equal(pick(of("permission"), of("protocol")).passing, false);
  const below = new Error("below");
  assert.equal(pick(of("not-found", below), of("not-found")).cause, below);
});

test("connect() has the two addresses of Falco's own configuration", async () => {
  const falco = connect();
  assert.equal(falco.address, "unix:///run/falco/falco.sock");
  const alerts = falco.outputs.subscribe();
  const statuses = alerts.status().getReader();
  void alerts.getReader().read().catch(() => {});
  const { value } = await statuses.read();
  assert(value?.type === "connecting");
  assert.equal(value.address, "unix:///run/falco/falco.sock or unix:///var/run/falco.sock");
  await falco.close();
  const named = connect("unix:///run/falco/falco.sock");
  const own = named.outputs.subscribe();
  const ownStatuses = own.status().getReader();
  void own.getReader().read().catch(() => {});
  const status = (await ownStatuses.read()).value;
  assert(status?.type === "connecting" && status.address === "unix:///run/falco/falco.sock");
  await named.close();
});
