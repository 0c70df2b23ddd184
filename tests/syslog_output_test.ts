/** Syslog output: the datagrams that a real Falco sends, and the program `logger`. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { parseSyslogTarget, SyslogOutput, SyslogSender } from "../harness/outputs/syslog_output.ts";
import { parseAlert } from "../lib/alert/parse_alert.ts";
import { isPosix, message, newPath, useFolder } from "./output_probes.ts";
import { readLines } from "./recordings.ts";

useFolder();

describe("SyslogOutput", () => {
  const isUtc = new Date(0).getTimezoneOffset() === 0;
  for (const [name, json] of [["syslog-text.jsonl", false], ["syslog-json.jsonl", true]] as const) {
    it(`sends the datagrams of ${name} over UDP`, { skip: !isUtc }, async () => {
      const expected = readLines(name).map((line) => JSON.parse(line) as string);
      const received: string[] = [];
      const socket = createSocket("udp4");
      const all = new Promise<void>((resolve) => {
        socket.on("message", (bytes: Uint8Array) => {
          received.push(Buffer.from(bytes).toString());
          if (received.length === expected.length) resolve();
        });
      });
      await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
      const { port } = socket.address() as AddressInfo;
      const clock = new FakeClock(Date.UTC(2026, 10, 21, 0, 7, 53));
      const sender = new SyslogSender(parseSyslogTarget(`udp://127.0.0.1:${port}`), clock);
      const output = new SyslogOutput(sender);
      try {
        for (const datagram of expected) {
          const line = datagram.replace(/^.*? falco: /, "");
          const word = /"priority":"(\w+)"|\d: (\w+)/.exec(json ? line : line)!;
          const alert = json ? parseAlert(line) : buildAlert({
            priority: word[2]!.toLowerCase() as "alert",
          });
          await output.write({ alert, line });
        }
        await all;
        assert.deepEqual(received, expected);
        await output.write(message("x".repeat(300_000)));
        assert.equal(output.lost, 1);
      } finally {
        output.close();
        socket.close();
      }
    });
  }

  it(
    "runs logger with the tag, the priority and the text as it is",
    { skip: !isPosix },
    async () => {
      // Stands for the machine's own, whose messages a test cannot read.
      const tools = newPath();
      const seen = newPath();
      mkdirSync(tools);
      const script = `#!/bin/sh\nprintf '%s|' "$@" >> ${seen}\necho >> ${seen}\n` +
        'case "$*" in *fail*) exit 1;; esac\n';
      writeFileSync(join(tools, "logger"), script, { mode: 0o755 });
      const path = process.env["PATH"];
      process.env["PATH"] = `${tools}:${path}`;
      try {
        const output = new SyslogOutput(
          new SyslogSender(parseSyslogTarget("logger"), new FakeClock()),
        );
        const texts = ["-n $(id) `id`", 'two  "words"', "fail"];
        for (
          const [index, priority] of (["critical", "debug", "informational"] as const).entries()
        ) {
          await output.write({ alert: buildAlert({ priority }), line: texts[index]! });
        }
        assert.equal(output.lost, 1);
        output.close();
      } finally {
        process.env["PATH"] = path;
      }
      assert.deepEqual(readFileSync(seen, "utf8").split("\n"), [
        "-t|falco|-p|user.crit|--|-n $(id) `id`|",
        '-t|falco|-p|user.debug|--|two  "words"|',
        "-t|falco|-p|user.info|--|fail|",
        "",
      ]);
    },
  );

  it("reads where to send to", () => {
    assert.deepEqual(parseSyslogTarget("udp://[::1]"), { kind: "udp", host: "::1", port: 514 });
    assert.deepEqual(parseSyslogTarget("logger"), { kind: "logger" });
    for (
      const wrong of ["", "localhost", "tcp://localhost:1", "udp://", "udp://h/path", "/dev/log"]
    ) {
      assert.throws(() => parseSyslogTarget(wrong), TypeError, wrong);
    }
  });
});
