/**
 * The permissions that the README promises for sources and sinks: exactly these are enough, and with
 * one less the message says which is missing. Deno only; the sanitizers are on.
 */
import assert from "node:assert/strict";
import { buildAlert } from "../../harness/build_alert.ts";
import { makeTempFolder } from "../../harness/temp_folder.ts";
import { formatAlert } from "../../lib/alert/format_alert.ts";
import { needs, runPermitted } from "./run_permitted.ts";

const root = new URL("../../", import.meta.url);
const sanitized = { sanitizeOps: true, sanitizeResources: true };

Deno.test({
  name: "HttpReceiver needs net for its address alone, and says so",
  ...sanitized,
  async fn() {
    const text = `
      import { HttpReceiver } from "${new URL("mod.ts", root)}";
      try {
        const receiver = await HttpReceiver.start({ port: 0 });
        await receiver.close();
        console.log("listened");
      } catch (error) {
        console.log(error.name, error.message);
      }
    `;
    await needs("--allow-net=127.0.0.1:0", [], text, {
      granted: /^listened\n$/,
      denied:
        /^FalcoError Cannot listen on 127\.0\.0\.1:0: Requires net access .*--allow-net=127\./,
    });
  },
});

Deno.test({
  name: "followFile() needs read for the folder alone, and says so",
  ...sanitized,
  async fn() {
    const text = `
      import { followFile } from "${new URL("mod.ts", root)}";
      try {
        const reader = followFile(Deno.args[0]).getReader();
        console.log((await reader.read()).value.rule);
        await reader.cancel();
      } catch (error) {
        console.log(error.name, error.message);
      }
    `;
    const folder = await makeTempFolder();
    try {
      const path = `${folder.path}/falco.json`;
      await Deno.writeTextFile(path, `${formatAlert(buildAlert({ rule: "A shell" }))}\n`);
      await needs(`--allow-read=${folder.path}`, [path], text, {
        granted: /^A shell\n$/,
        denied: /^FalcoError Cannot follow ".*": Requires read access to ".*--allow-read/,
      });
    } finally {
      await folder.remove();
    }
  },
});

Deno.test({
  name: "WebhookSink needs net, and sys for the authorities of the machine, and says so",
  ...sanitized,
  async fn() {
    const hook = `
      import { EventStream, WebhookSink } from "${new URL("mod.ts", root)}";
      import { makeCertificates } from "${new URL("harness/certificates.ts", root)}";
      import { buildAlert } from "${new URL("harness/build_alert.ts", root)}";
      const tls = Deno.args[0] === "ca" ? { ca: (await makeCertificates()).ca } : {};
      const sink = new WebhookSink("https://127.0.0.1:1/", { tls, retry: { maxAttempts: 1 } });
      await EventStream.from([buildAlert()]).pipeTo(sink).catch(({ name, message }) => {
        console.log(name, message);
      });
    `;
    const net = "--allow-net=127.0.0.1:1";
    const machine = ["--allow-sys", "--allow-env=NODE_USE_SYSTEM_CA"];
    const refused = /^DeliveryError Cannot deliver to https:\/\/127\.0\.0\.1:1\/: .*ECONNREFUSED/;
    assert.match(await runPermitted([net], ["ca"], hook), refused);
    assert.match(await runPermitted([net, ...machine], [], hook), refused);
    assert.match(
      await runPermitted([net], [], hook),
      /^FalcoError Cannot deliver .* wants --allow-sys and --allow-env=NODE_USE_SYSTEM_CA/,
    );
    assert.match(
      await runPermitted([], ["ca"], hook),
      /^FalcoError Cannot deliver .* Requires net access/,
    );
  },
});

/** Delivers one alert to the sink that an expression makes. */
const delivery = (sink: string): string => `
  import { EventStream, FileSink, ProgramSink, SyslogSink } from "${new URL("mod.ts", root)}";
  import { buildAlert } from "${new URL("harness/build_alert.ts", root)}";
  const retry = { maxAttempts: 1 };
  await EventStream.from([buildAlert()]).pipeTo(${sink}).then(
    () => console.log("delivered"),
    ({ name, message }) => console.log(name, message),
  );
`;

Deno.test({
  name: "FileSink needs read and write for the folder alone, and says which is missing",
  ...sanitized,
  async fn() {
    const folder = await makeTempFolder();
    try {
      const args = [`${folder.path}/alerts.jsonl`];
      const text = delivery("new FileSink(Deno.args[0])");
      const [read, write] = [`--allow-read=${folder.path}`, `--allow-write=${folder.path}`];
      assert.equal(await runPermitted([read, write], args, text), "delivered\n");
      for (const [rest, missing] of [[read, "write"], [write, "read"]] as const) {
        assert.match(
          await runPermitted([rest], args, text),
          new RegExp(`^FalcoError Cannot write to ".*": Requires ${missing} access .*--allow-`),
        );
      }
    } finally {
      await folder.remove();
    }
  },
});

Deno.test({
  name: "SyslogSink needs net for its server alone, and says so",
  ...sanitized,
  async fn() {
    await needs(
      "--allow-net=127.0.0.1:1",
      [],
      delivery('new SyslogSink("tcp://127.0.0.1:1", { retry })'),
      {
        granted: /^DeliveryError Cannot deliver to tcp:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/,
        denied:
          /^FalcoError Cannot deliver .* Requires net access to "127\.0\.0\.1:1".*--allow-net/,
      },
    );
  },
});

Deno.test({
  name: "ProgramSink needs run for its program, and env, of which one name if it is given its own",
  ...sanitized,
  async fn() {
    const cases = [
      ['new ProgramSink("cat", { retry })', "--allow-env"],
      ['new ProgramSink("cat", { retry, env: {} })', "--allow-env=NODE_V8_COVERAGE"],
    ] as const;
    for (const [sink, env] of cases) {
      const text = delivery(sink);
      assert.equal(await runPermitted(["--allow-run=cat", env], [], text), "delivered\n");
      assert.match(
        await runPermitted([env], [], text),
        /^FalcoError Cannot deliver .* Requires run access to "cat".*--allow-run/,
      );
      assert.match(
        await runPermitted(["--allow-run=cat"], [], text),
        /^FalcoError Cannot deliver .* Requires env access.*--allow-env/,
      );
    }
  },
});
