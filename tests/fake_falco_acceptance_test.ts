/** Falco's own two tests of its gRPC server, without the tool chains that they take (those run in interop). */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { responseSchema } from "../gen/outputs_pb.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { BareClient, GET } from "./fake_falco_clients.ts";
import { until } from "./waits.ts";

/** What the capture of these tests comes to, again and again: somebody opens a file with `cat`. */
const opened: Alert = {
  time: { seconds: 1470327477, nanos: 881781397 },
  priority: "warning",
  source: "syscall",
  rule: "open_from_cat",
  output: "2016-08-04T16:17:57.881781397+0000: Warning An open was seen (command=cat /dev/null)",
  outputFields: { "proc.cmdline": "cat /dev/null" },
  hostname: "falco-fake",
  tags: ["filesystem", "process", "testing"],
};

describe("Falco's own tests of gRPC", { skip: process.platform === "win32" }, () => {
  let folder: TempFolder;
  before(async () => {
    folder = await makeTempFolder();
  });
  after(() => folder.remove());

  /** The configuration of both. */
  const config = (path: string): string =>
    "json_output: false\ntime_format_iso_8601: true\nlog_stderr: true\nlog_level: debug\n" +
    `grpc:\n  enabled: true\n  bind_address: unix://${path}\n  threadiness: 8\n` +
    "grpc_output:\n  enabled: true\n";

  it("grpc_unix_socket_outputs of 0.33: get has the alert, with all that the test looks for", async () => {
    const path = join(folder.path, "run", "falco.sock");
    const options = { falcoVersion: "0.33.0", stderr: () => {}, env: {} };
    const fake = await FakeFalco.fromConfig(config(path), options);
    const client = new BareClient(fake);
    try {
      assert.ok(existsSync(path));
      fake.push(opened);
      const get = await client.call(GET);
      get.request();
      get.halfClose();
      await get.end();
      assert.equal(get.status, 0);
      const [bytes] = await get.readBytes(1);
      const alert = fromBinary(responseSchema, bytes!);
      assert.deepEqual([alert.time?.seconds, alert.time?.nanos], [1470327477n, 881781397]);
      assert.equal(alert.priority, 4); // WARNING
      assert.equal(alert.rule, "open_from_cat");
      assert.equal(alert.output, opened.output);
      assert.deepEqual(alert.outputFields, {
        "evt.time.iso8601": "2016-08-04T16:17:57.881781397+0000",
        "proc.cmdline": "cat /dev/null",
      });
      assert.notEqual(alert.hostname, "");
      assert.deepEqual(alert.tags, ["filesystem", "process", "testing"]);
    } finally {
      await client.close();
      await fake.kill();
    }
  });

  it("TestFalco_Legacy_GrpcUnixSocketOutputs: a watcher that was there first gets eight warnings", async () => {
    const path = join(folder.path, "falco.sock");
    let log = "";
    const isThere = until("the socket is there", () => existsSync(path));
    const fake = await FakeFalco.fromConfig(config(path), {
      stderr: (bytes) => void (log += Buffer.from(bytes).toString()),
      env: {},
    });
    await isThere;
    const client = new BareClient({ address: `unix://${path}`, credentials: undefined });
    try {
      const sub = await client.sub(1);
      await fake.waitForSubscriber();
      await fake.replay(Array.from({ length: 8 }, () => opened));
      sub.request();
      const got = (await sub.readBytes(8)).map((bytes) => fromBinary(responseSchema, bytes));
      for (const { priority, rule } of got) {
        assert.deepEqual([priority, rule], [4, "open_from_cat"]);
      }
      sub.request();
      await fake.settle();
      assert.deepEqual(sub.here(), []);
      sub.cancel();
      // Before the fake says goodbye: after a cancelled call that can crash a client on Deno 2.9
      // (denoland/deno#36788).
      await client.close();
      await fake.stop();
      assert.match(log, /: Starting gRPC server at unix:/);
      assert.doesNotMatch(log, /Error starting gRPC server/);
      assert.equal(existsSync(path), false);
    } finally {
      await client.close();
      await fake.kill();
    }
  });
});
