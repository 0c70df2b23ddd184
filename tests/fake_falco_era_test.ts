import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { responseSchema } from "../gen/outputs_pb.ts";
import { priority, source } from "../gen/schema_pb.ts";
import { responseSchema as versionSchema } from "../gen/version_pb.ts";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { GET, VERSION, wires, withFake } from "./fake_falco_clients.ts";
import type { BareClient } from "./fake_falco_clients.ts";

const [wire] = wires;

/** What a Falco of each time has in its messages, by field number. */
const eras = [
  { falcoVersion: "0.24.0", alert: [1, 2, 3, 4, 5, 6, 7], version: [1, 3] },
  { falcoVersion: "0.26.2", alert: [1, 2, 3, 4, 5, 6, 7], version: [1, 3, 4] },
  { falcoVersion: "0.27.0", alert: [1, 2, 3, 4, 5, 6, 7], version: [1, 3, 7, 8] },
  { falcoVersion: "0.29.1", alert: [1, 2, 3, 4, 5, 6, 7], version: [1, 3, 4, 7, 8] },
  { falcoVersion: "0.30.0", alert: [1, 2, 3, 4, 5, 6, 7, 8], version: [1, 3, 7, 8] },
  { falcoVersion: "0.31.0", alert: [1, 2, 3, 4, 5, 6, 7, 8, 9], version: [1, 3, 7, 8] },
  { falcoVersion: "0.36.0", alert: [1, 2, 3, 4, 5, 6, 7, 8, 9], version: [1, 3, 7, 8] },
  { falcoVersion: "0.37.0", alert: [1, 2, 3, 4, 5, 6, 7, 8, 9], version: [1, 3, 7, 8, 11] },
  { falcoVersion: "0.43.1", alert: [1, 2, 3, 4, 5, 6, 7, 8, 9], version: [1, 3, 4, 7, 8, 11] },
];

/** An alert with every field of the message on the wire: 0 would be left out. */
const full = buildAlert({ priority: "critical", source: "k8s_audit" });

/** The numbers of the fields in a message, each once, in order. */
function fieldNumbers(message: Uint8Array): number[] {
  const reader = new BinaryReader(message);
  const numbers = new Set<number>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    numbers.add(number);
    reader.skip(type, number);
  }
  return [...numbers].sort((one, other) => one - other);
}

/** Does a call that is answered with one message. */
async function ask(client: BareClient, method: string): Promise<Uint8Array> {
  const call = await client.call(method);
  call.request();
  call.halfClose();
  const [message] = await call.readBytes(1);
  await call.end();
  assert.equal(call.status, 0);
  return message!;
}

/** The message that a Falco of some version makes of an alert. */
async function onTheWire(falcoVersion: string, alert: Alert): Promise<Uint8Array> {
  let message = new Uint8Array();
  await withFake(wire!, async ({ fake, dial }) => {
    fake.push(alert);
    message = Uint8Array.from(await ask(dial(), GET));
  }, { falcoVersion });
  return message;
}

describe("FakeFalco: eras", () => {
  for (const { falcoVersion, alert, version } of eras) {
    it(`has the fields of ${falcoVersion} on the wire, and no others`, () =>
      withFake(wire!, async ({ fake, dial }) => {
        assert.equal(fake.falcoVersion, falcoVersion);
        fake.push(full);
        const client = dial();
        const bytes = await ask(client, GET);
        assert.deepEqual(fieldNumbers(bytes), alert);
        const message = fromBinary(responseSchema, bytes);
        assert.equal(message.$unknown, undefined);
        assert.equal(message.time?.seconds, BigInt(full.time.seconds));
        assert.equal(message.priority, priority.CRITICAL);
        assert.equal(message.sourceDeprecated, source.K8S_AUDIT);
        assert.equal(message.rule, full.rule);
        assert.equal(message.output, full.output);
        assert.deepEqual({ ...message.outputFields }, full.outputFields);
        assert.equal(message.hostname, full.hostname);
        assert.deepEqual(message.tags, alert.includes(8) ? full.tags : []);
        assert.equal(message.source, alert.includes(9) ? "k8s_audit" : "");
        assert.deepEqual(fieldNumbers(await ask(client, VERSION)), version);
      }, { falcoVersion }));

    it(`says that it is ${falcoVersion}`, () =>
      withFake(wire!, async ({ dial }) => {
        const message = fromBinary(versionSchema, await ask(dial(), VERSION));
        assert.equal(message.version, falcoVersion);
        const { major, minor, patch } = message;
        assert.equal(`${major}.${minor}.${patch}`, falcoVersion);
        assert.deepEqual([message.prerelease, message.build], ["", ""]);
        // Field 7 is the whole version of the engine up to 0.36, and one of its three numbers since.
        assert.equal(message.engineMinor > 0, version.includes(7));
        assert.equal(
          message.engineVersion,
          version.includes(11) ? `0.${message.engineMinor}.0` : "",
        );
        assert.match(message.engineFieldsChecksum, version.includes(8) ? /^[0-9a-f]{64}$/ : /^$/);
        assert.deepEqual([message.engineMajor, message.enginePatch], [0, 0]);
      }, { falcoVersion }));
  }

  it("is 0.43.1 by default, with what a real one says of itself", () =>
    withFake(wire!, async ({ fake, dial }) => {
      assert.equal(fake.falcoVersion, "0.43.1");
      const message = fromBinary(versionSchema, await ask(dial(), VERSION));
      assert.equal(message.engineMinor, 58);
      assert.equal(message.engineVersion, "0.58.0");
    }));

  it("has engines that never get older from one release to the next", async () => {
    let before = 0;
    for (let minor = 24; minor <= 43; minor++) {
      await withFake(wire!, async ({ dial }) => {
        const { engineMinor } = fromBinary(versionSchema, await ask(dial(), VERSION));
        assert.ok(engineMinor >= before, `0.${minor}.0`);
        before = engineMinor;
      }, { falcoVersion: `0.${minor}.0` });
    }
  });

  it("leaves out what is 0 or empty, as protobuf does", async () => {
    const alert = buildAlert({ priority: "emergency", source: "syscall", tags: [], hostname: "" });
    assert.deepEqual(fieldNumbers(await onTheWire("0.43.1", alert)), [1, 4, 5, 6, 9]);
    assert.deepEqual(fieldNumbers(await onTheWire("0.24.0", alert)), [1, 4, 5, 6]);
  });

  it("has plugins as sources since 0.31", async () => {
    const alert = buildAlert({ source: "okta" });
    const before = fromBinary(responseSchema, await onTheWire("0.30.0", alert));
    assert.equal(before.sourceDeprecated, source.SYSCALL);
    const since = fromBinary(responseSchema, await onTheWire("0.31.0", alert));
    assert.equal(since.sourceDeprecated, source.PLUGIN);
    assert.equal(since.source, "okta");
  });

  it("sends every value of a field as text", async () => {
    const alert = buildAlert({
      outputFields: { "proc.pid": 42, "evt.time": 1767225600000000005n, "x": null, "y": true },
    });
    const { outputFields } = fromBinary(responseSchema, await onTheWire("0.43.1", alert));
    assert.deepEqual({ ...outputFields }, {
      "proc.pid": "42",
      "evt.time": "1767225600000000005",
      "x": "<NA>",
      "y": "true",
    });
  });

  for (
    const { falcoVersion, sentence } of [
      {
        falcoVersion: "0.23.0",
        sentence:
          "0.23.0: the first gRPC service, of 0.18 to 0.23, is not served yet. Use 0.24.0 to 0.43.1",
      },
      {
        falcoVersion: "0.18.0",
        sentence:
          "0.18.0: the first gRPC service, of 0.18 to 0.23, is not served yet. Use 0.24.0 to 0.43.1",
      },
      { falcoVersion: "0.44.0", sentence: "0.44.0: 0.44 removed gRPC. Use 0.24.0 to 0.43.1" },
      { falcoVersion: "1.0.0", sentence: "1.0.0: 0.44 removed gRPC. Use 0.24.0 to 0.43.1" },
      { falcoVersion: "1.30.0", sentence: "1.30.0: 0.44 removed gRPC. Use 0.24.0 to 0.43.1" },
      ...["x", "", "0.43", "v0.43.1", "0.43.1-rc1", "0.43.1.2", " 0.43.1"].map((falcoVersion) => ({
        falcoVersion,
        sentence: `${JSON.stringify(falcoVersion)}: a version is three numbers, such as 0.43.1`,
      })),
    ]
  ) {
    it(`cannot be Falco ${JSON.stringify(falcoVersion)}, and says so`, async () => {
      await assert.rejects(FakeFalco.start({ falcoVersion }), {
        name: "RangeError",
        message: `Cannot be Falco ${sentence}`,
      });
    });
  }
});

describe("buildAlert()", () => {
  it("fills in what a test does not care about", () => {
    const alert = buildAlert();
    assert.deepEqual(alert.time, { seconds: 1767225600, nanos: 0 });
    assert.equal(alert.priority, "notice");
    assert.ok(alert.output.startsWith("00:00:00.000000000: Notice A shell was spawned"));
    assert.deepEqual(alert.tags, [...alert.tags].sort());
    for (const [name, value] of Object.entries(alert.outputFields)) {
      assert.ok(alert.output.includes(`${name.replace(".", "_")}=${value}`), name);
    }
  });

  it("puts time and priority in front of the text", () => {
    const alert = buildAlert({ time: { seconds: 1767225661, nanos: 42 }, priority: "emergency" });
    assert.ok(alert.output.startsWith("00:01:01.000000042: Emergency "));
  });

  it("takes every part as it is given", () => {
    const parts: Alert = {
      time: { seconds: 1, nanos: 2 },
      priority: "debug",
      source: "s",
      rule: "r",
      output: "o",
      outputFields: { a: 1 },
      hostname: "h",
      tags: ["z", "a"],
      message: "m",
      omitted: ["tags"],
    };
    assert.deepEqual(buildAlert(parts), parts);
  });
});
