/** `FakeFalco.reload` with a falco.yaml: the file again, new channels, signals, nothing lost. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { parseAlert } from "../lib/alert/parse_alert.ts";
import { connect } from "../lib/client/connect.ts";
import { isPosix, unixConfig, useFolder, withFake } from "./fake_falco_config_probes.ts";

const { newPath } = useFolder();

describe("FakeFalco.reload with a configuration", { skip: !isPosix }, () => {
  it("reads the file again: new channels, a summary in between, nothing lost", async () => {
    const [path, first, second, sock] = [newPath("yaml"), newPath(), newPath(), newPath("sock")];
    const write = (file: string, more = "") =>
      writeFileSync(
        path,
        `${unixConfig(sock)}stdout_output: { enabled: true }\nlog_stderr: true\n` +
          `file_output: { enabled: true, keep_alive: true, filename: ${file} }\n${more}`,
      );
    write(first);
    await withFake(path, async (fake, { stdout, stderr }) => {
      fake.push(buildAlert({ rule: "before" }));
      write(second, "json_output: true\n");
      const reloaded = fake.reload();
      fake.push(buildAlert({ rule: "meanwhile" }));
      await reloaded;
      fake.push(buildAlert({ rule: "after" }));
      assert.match(stderr(), /: SIGHUP received, restarting\.\.\.\n/);
      // Whether the one in between is before or after the restart is a matter of luck.
      assert.match(stdout(), /Events detected: [12]\n[^]*before: 1\n/);
      const old = readFileSync(first, "utf8").trimEnd().split("\n").length;
      // The queue survives; it is in the process.
      const falco = connect(fake.address);
      const got: Alert[] = await Array.fromAsync(falco.outputs.get());
      await falco.close();
      assert.deepEqual(got.map(({ rule }) => rule), ["before", "meanwhile", "after"]);
      await fake.stop();
      const rules = readFileSync(second, "utf8").trimEnd().split("\n").map((line) =>
        parseAlert(line).rule
      );
      assert.deepEqual(rules, ["meanwhile", "after"].slice(old - 1));
    });
  });

  it("keeps what is pushed while the old channels come to their end", async () => {
    const [file, gate] = [newPath("program"), newPath("gate")];
    const program = `until [ -e ${gate} ]; do sleep 0.01; done; cat >> ${file}`;
    const text = `log_stderr: true\nprogram_output: { enabled: true, program: "${program}" }\n`;
    let stopping = () => {};
    const isStopping = new Promise<void>((resolve) => stopping = resolve);
    const fake = await FakeFalco.fromConfig(text, {
      stderr: (bytes) => {
        if (/SIGHUP received/.test(Buffer.from(bytes).toString())) stopping();
      },
    });
    fake.push(buildAlert({ priority: "error" }));
    const reloaded = fake.reload();
    await isStopping;
    fake.push(buildAlert({ priority: "alert" }));
    writeFileSync(gate, "");
    await reloaded;
    await fake.stop();
    assert.match(readFileSync(file, "utf8"), /^[\d:.]+ Error [^\n]*\n[\d:.]+ Alert [^\n]*\n$/);
  });

  it("raises an alert about a bad file and goes on with what it has", async () => {
    const path = newPath("yaml");
    const good = `${unixConfig(newPath("sock"))}json_output: true\n`;
    writeFileSync(path, good);
    await withFake(path, async (fake) => {
      writeFileSync(path, `${good}priority: loud\n`);
      await fake.reload();
      const falco = connect(fake.address);
      const [alert] = await Array.fromAsync(falco.outputs.get());
      await falco.close();
      assert.equal(alert!.rule, "Falco internal: hot restart failure");
      assert.equal(alert!.priority, "critical");
      // As recorded, but for time and host.
      const line = JSON.parse(alert!.output);
      assert.equal(
        line.output,
        'Falco internal: hot restart failure: Unknown priority "loud"--must be one of ' +
          "emergency, alert, critical, error, warning, notice, informational, debug",
      );
      assert.deepEqual(line.output_fields, {});
      assert.equal("tags" in line, false);
    });
  });

  it("does nothing with watch_config_files off", async () => {
    const text = `${unixConfig(newPath("sock"))}watch_config_files: false\nlog_stderr: true\n`;
    await withFake(text, async (fake, { stderr }) => {
      const before = stderr();
      await fake.reload();
      assert.equal(stderr(), before);
      const falco = connect(fake.address);
      assert.equal((await falco.version()).version, "0.43.1");
      await falco.close();
    });
  });

  it("reopens files on SIGUSR1, in turn", async () => {
    const file = newPath("events");
    const text =
      `log_stderr: true\nfile_output: {enabled: true, keep_alive: true, filename: ${file}}\n`;
    await withFake(text, (fake, { stderr }) => {
      fake.push(buildAlert());
      assert.equal(readFileSync(file, "utf8"), "");
      fake.outputs!.reopen();
      assert.equal(readFileSync(file, "utf8").trimEnd().split("\n").length, 1);
      assert.match(stderr(), /: SIGUSR1 received, reopening outputs\.\.\.\n$/);
      return Promise.resolve();
    });
  });
});
