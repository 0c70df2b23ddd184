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
import {
  BareClient,
  GET,
  isRefused,
  SUB,
  SUBSCRIBE,
  VERSION,
  wires,
  withFake,
} from "./fake_falco_clients.ts";

const [wire] = wires;

/** What a Falco of each time has in its messages, by field number. */
const eras = [
  { falcoVersion: "0.18.0", alert: [1, 2, 3, 4, 5, 6], version: [] },
  { falcoVersion: "0.19.0", alert: [1, 2, 3, 4, 5, 6, 7], version: [] },
  { falcoVersion: "0.20.0", alert: [1, 2, 3, 4, 5, 6, 7], version: [1, 3] },
  { falcoVersion: "0.23.0", alert: [1, 2, 3, 4, 5, 6, 7], version: [1, 3] },
  { falcoVersion: "0.24.0", alert: [1, 2, 3, 4, 5, 6, 7], version: [1, 3] },
  { falcoVersion: "0.26.2", alert: [1, 2, 3, 4, 5, 6, 7], version: [1, 3, 4] },
  { falcoVersion: "0.27.0", alert: [1, 2, 3, 4, 5, 6, 7], version: [1, 3, 7, 8] },
  { falcoVersion: "0.29.1", alert: [1, 2, 3, 4, 5, 6, 7], version: [1, 3, 4, 7, 8] },
  { falcoVersion: "0.30.0", alert: [1, 2, 3, 4, 5, 6, 7, 8], version: [1, 3, 7, 8] },
  { falcoVersion: "0.31.0", alert: [1, 2, 3, 4, 5, 6, 7, 8, 9], version: [1, 3, 7, 8] },
  { falcoVersion: "0.36.0", alert: [1, 2, 3, 4, 5, 6, 7, 8, 9], version: [1, 3, 7, 8] },
  { falcoVersion: "0.37.0", alert: [1, 2, 3, 4, 5, 6, 7, 8, 9], version: [1, 3, 7, 8, 11] },
  { falcoVersion: "0.38.2", alert: [1, 2, 3, 4, 5, 6, 7, 8, 9], version: [1, 3, 4, 7, 8, 11] },
  { falcoVersion: "0.39.0", alert: [1, 2, 3, 4, 5, 6, 7, 8, 9], version: [1, 3, 7, 8, 11] },
  { falcoVersion: "0.43.1", alert: [1, 2, 3, 4, 5, 6, 7, 8, 9], version: [1, 3, 4, 7, 8, 11] },
];

/** An alert with every field of the message on the wire: 0 would be left out. */
const full = buildAlert({ priority: "critical", source: "k8s_audit" });

/** The minor version of a Falco. */
function minorOf(falcoVersion: string): number {
  return Number(falcoVersion.split(".")[1]);
}

/** The method that hands out what is queued. */
function getOf(falcoVersion: string): string {
  return minorOf(falcoVersion) < 24 ? SUBSCRIBE : GET;
}

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
    message = Uint8Array.from(await ask(dial(), getOf(falcoVersion)));
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
        const bytes = await ask(client, getOf(falcoVersion));
        assert.deepEqual(fieldNumbers(bytes), alert);
        const message = fromBinary(responseSchema, bytes);
        assert.equal(message.$unknown, undefined);
        assert.equal(message.time?.seconds, BigInt(full.time.seconds));
        assert.equal(message.priority, priority.CRITICAL);
        assert.equal(message.sourceDeprecated, source.K8S_AUDIT);
        assert.equal(message.rule, full.rule);
        assert.equal(message.output, full.output);
        assert.deepEqual({ ...message.outputFields }, {
          ...full.outputFields,
          // Up to 0.38 the time in front of the text is a field, too.
          ...(minorOf(falcoVersion) < 39 ? { "evt.time": "00:00:00.000000000" } : {}),
        });
        assert.equal(message.hostname, alert.includes(7) ? full.hostname : "");
        assert.deepEqual(message.tags, alert.includes(8) ? full.tags : []);
        assert.equal(message.source, alert.includes(9) ? "k8s_audit" : "");
        if (version.length === 0) return;
        assert.deepEqual(fieldNumbers(await ask(client, VERSION)), version);
      }, { falcoVersion }));

    if (version.length === 0) continue;
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
    for (let minor = 20; minor <= 43; minor++) {
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
    assert.deepEqual(fieldNumbers(await onTheWire("0.18.0", alert)), [1, 4, 5, 6]);
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
    const { falcoVersion, methods } of [
      { falcoVersion: "0.18.0", methods: [SUBSCRIBE] },
      { falcoVersion: "0.19.9", methods: [SUBSCRIBE] },
      { falcoVersion: "0.20.0", methods: [SUBSCRIBE, VERSION] },
      { falcoVersion: "0.23.0", methods: [SUBSCRIBE, VERSION] },
      { falcoVersion: "0.24.0", methods: [SUB, GET, VERSION] },
      { falcoVersion: "0.43.1", methods: [SUB, GET, VERSION] },
    ]
  ) {
    it(`has no other methods as ${falcoVersion} than ${methods.join(", ")}`, () =>
      withFake(wire!, async ({ dial }) => {
        const client = dial();
        for (const method of [SUBSCRIBE, SUB, GET, VERSION]) {
          const call = await client.call(method);
          call.request();
          if (method === SUB && methods.includes(SUB)) {
            assert.equal(call.ended, false);
            continue;
          }
          call.halfClose();
          await call.end();
          if (methods.includes(method)) {
            assert.equal(call.status, 0);
          } else {
            assert.equal(call.status, 12);
            assert.equal(call.headers?.["grpc-message"], undefined);
            assert.deepEqual(call.events, ["headers", "end"]);
          }
        }
        await client.close();
      }, { falcoVersion }));
  }

  it("keeps alerts of Falco itself from gRPC before 0.27", async () => {
    for (const [falcoVersion, depth] of [["0.26.2", 0], ["0.27.0", 1]] as const) {
      await withFake(wire!, ({ fake }) => {
        fake.push(buildAlert({ source: "internal" }));
        assert.equal(fake.queueDepth, depth, falcoVersion);
        return Promise.resolve();
      }, { falcoVersion });
    }
  });

  it("has the time of the text among the fields up to 0.38, as the rules' format had", async () => {
    for (
      const { output, fields, expected } of [
        { output: "01:02:03.000000004: Notice x", expected: { "evt.time": "01:02:03.000000004" } },
        {
          output: "2026-01-01T01:02:03.000000004+0000: Notice x",
          expected: { "evt.time.iso8601": "2026-01-01T01:02:03.000000004+0000" },
        },
        {
          output: "01:02:03.000000004: Notice x",
          fields: { "evt.time": 1767225600000000005n },
          expected: { "evt.time": "01:02:03.000000004" },
        },
        { output: "Falco internal: hot restart failure", expected: {} },
      ]
    ) {
      const alert = buildAlert({ output, outputFields: fields ?? {} });
      const before = fromBinary(responseSchema, await onTheWire("0.38.2", alert));
      assert.deepEqual({ ...before.outputFields }, expected);
      const since = fromBinary(responseSchema, await onTheWire("0.39.0", alert));
      assert.deepEqual(
        { ...since.outputFields },
        fields === undefined ? {} : { "evt.time": "1767225600000000005" },
      );
    }
  });

  for (
    const { falcoVersion, sentence } of [
      {
        falcoVersion: "0.17.1",
        sentence: "0.17.1: 0.18.0 was the first with gRPC. Use 0.18.0 to 0.43.1",
      },
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

describe("FakeFalco without gRPC", () => {
  for (const wire of wires) {
    for (const falcoVersion of ["0.44.0", "0.45.2", "1.0.0"]) {
      it(`starts as ${falcoVersion}, and refuses clients over ${wire.name}`, () =>
        withFake(wire, async ({ fake, dial }) => {
          assert.equal(fake.falcoVersion, falcoVersion);
          assert.ok(await isRefused(dial()));
          fake.push(full);
          assert.deepEqual([fake.queueDepth, fake.connections, fake.requests], [0, 0, []]);
          await fake.drained();
          const { address } = fake;
          await fake.reload();
          assert.equal(fake.address, address);
          assert.ok(await isRefused(dial()));
          await fake.stop();
          await assert.rejects(fake.reload(), { name: "FalcoClosedError" });
        }, { falcoVersion }));
    }
  }

  it("names the address that it was told", async () => {
    const fake = await FakeFalco.start({ falcoVersion: "0.44.0", listen: "unix:///tmp/no.sock" });
    try {
      assert.equal(fake.address, "unix:///tmp/no.sock");
      assert.ok(await isRefused(new BareClient(fake)));
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });
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
