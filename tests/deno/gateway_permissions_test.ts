/** The permissions of the gateway: those of the task and the documented fewer ones are enough. Deno only. */
import assert from "node:assert/strict";
import { connect } from "../../lib/client/connect.ts";
import { makeTempFolder } from "../../harness/temp_folder.ts";
import { credentials, serverTls } from "../gateway_probes.ts";
import { denoFlags } from "../run_cli.ts";

const root = new URL("../../", import.meta.url).pathname;

/** Runs a gateway, asks for the version if it gets that far, and ends it. */
async function runGateway(
  flags: readonly string[],
  config: string,
): Promise<{ version?: string; code: number; stderr: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--cached-only",
      `--config=${root}deno.json`,
      ...flags,
      `${root}cli/main.ts`,
      "gateway",
      "-c",
      config,
    ],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let line = "";
  for (;;) {
    const { done, value } = await reader.read();
    line += value ?? "";
    if (done || line.includes("\n")) break;
  }
  let version: string | undefined;
  const address = /^listening on (.*)\n/.exec(line)?.[1];
  if (address !== undefined) {
    const falco = connect(address, address.startsWith("unix") ? {} : { tls: credentials });
    ({ version } = await falco.version());
    await falco.close();
    child.kill("SIGTERM");
  }
  await reader.cancel();
  const { code } = await child.status;
  return { ...(version === undefined ? {} : { version }), code, stderr: await stderr };
}

async function withConfig(
  listener: (folder: string) => unknown,
  body: (config: string, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await makeTempFolder();
  try {
    const config = `${folder.path}/gateway.yaml`;
    // JSON is YAML.
    await Deno.writeTextFile(
      config,
      JSON.stringify({
        version: 1,
        sources: [
          { name: "http", type: "http", listen: "127.0.0.1:0" },
          { name: "file", type: "file", path: `${folder.path}/alerts.json` },
        ],
        listeners: [listener(folder.path)],
        admin: { listen: "127.0.0.1:0" },
        drainMs: 0,
      }),
    );
    await body(config, folder.path);
  } finally {
    await folder.remove();
  }
}

const onSocket = (folder: string) => ({ name: "local", address: `unix://${folder}/g.sock` });

Deno.test("the gateway task's permissions are enough, and none of them is needless", async () => {
  await withConfig(onSocket, async (config) => {
    const flags = denoFlags["gateway"]!;
    const { version, code, stderr } = await runGateway(flags, config);
    assert.equal(version, "0.43.1", stderr);
    assert.equal(code, 0, stderr);
    for (const kind of ["net", "read", "write"]) {
      const fewer = flags.filter((flag) => !flag.startsWith(`--allow-${kind}`));
      const refused = await runGateway(fewer, config);
      assert.equal(refused.version, undefined);
      assert.match(refused.stderr, new RegExp(`Requires ${kind} access to .* --allow-${kind}`));
    }
  });
});

Deno.test("a gateway can be held to its own folder", async () => {
  await withConfig(onSocket, async (config, folder) => {
    const { version, stderr } = await runGateway([
      "--no-prompt",
      "--allow-net",
      `--allow-read=${folder}`,
      `--allow-write=${folder}`,
      "--ignore-env=LOG_TOKENS,LOG_STREAM",
    ], config);
    assert.equal(version, "0.43.1", stderr);
  });
});

Deno.test("over TCP it writes nothing, and needs loopback alone", async () => {
  const overTls = () => ({ name: "remote", address: "localhost:0", tls: serverTls });
  await withConfig(overTls, async (config, folder) => {
    const { version, stderr } = await runGateway([
      "--no-prompt",
      "--allow-net=127.0.0.1",
      `--allow-read=${folder}`,
      "--ignore-env=LOG_TOKENS,LOG_STREAM",
    ], config);
    assert.equal(version, "0.43.1", stderr);
  });
});
