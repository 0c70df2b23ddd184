/**
 * The permissions that the README promises: exactly these are enough, and with one less the message
 * says which is missing. Deno only; the sanitizers are on.
 */
import assert from "node:assert/strict";
import { writeCertificates } from "../../harness/certificates.ts";
import { FakeFalco } from "../../harness/fake_falco.ts";
import { makeTempFolder } from "../../harness/temp_folder.ts";
import { buildAlert } from "../../harness/build_alert.ts";
import { formatAlert } from "../../lib/alert/format_alert.ts";
import { denoFlags } from "../run_cli.ts";
import { runPermitted } from "./run_permitted.ts";

const root = new URL("../../", import.meta.url);

/** A program that a user might write; it gets its address and certificates as arguments. */
const program = `
import { connect, field } from "${new URL("mod.ts", root)}";
const [address, ca, cert, key] = Deno.args;
const falco = connect(address, ca === undefined ? {} : { tls: { ca, cert, key } });
try {
  const { version } = await falco.version();
  const alerts = await Array.fromAsync(falco.outputs.get());
  console.log(version, alerts.length, field(alerts[0], "proc.name"));
} catch (error) {
  console.log(error.name, error.message);
} finally {
  await falco.close();
}
`;

const sanitized = { sanitizeOps: true, sanitizeResources: true };

/** Runs the program with all flags, and with each of them taken away. */
async function takeEachAway(
  flags: Record<string, RegExp>,
  args: readonly string[],
  fake: FakeFalco,
): Promise<void> {
  fake.push(buildAlert({ outputFields: { "proc.name": "bash" } }));
  assert.equal(await runPermitted(Object.keys(flags), args, program), "0.43.1 1 bash\n");
  for (const [missing, message] of Object.entries(flags)) {
    const rest = Object.keys(flags).filter((flag) => flag !== missing);
    const text = await runPermitted(rest, args, program);
    assert.match(text, /^FalcoConnectError Cannot connect to /, missing);
    assert.match(text, message, missing);
  }
}

Deno.test({
  name: "a unix socket needs net, read and write on the socket, and says which is missing",
  ...sanitized,
  async fn() {
    const fake = await FakeFalco.start();
    try {
      const path = fake.address.slice("unix://".length);
      await takeEachAway(
        {
          [`--allow-net=unix:${path}`]: /Requires net access to .* --allow-net/,
          [`--allow-read=${path}`]: /Requires read access to .* --allow-read/,
          [`--allow-write=${path}`]: /Requires write access to .* --allow-write/,
        },
        [fake.address],
        fake,
      );
    } finally {
      await fake.stop();
    }
  },
});

Deno.test({
  name: "TLS needs net for the host and port, and read for certificates in files",
  ...sanitized,
  async fn() {
    const fake = await FakeFalco.start({ tls: true });
    const folder = await makeTempFolder();
    try {
      await writeCertificates(folder.path, fake.certificates!);
      const files = ["ca.crt", "client.crt", "client.key"].map((file) => `${folder.path}/${file}`);
      const host = new URL(fake.address).host;
      await takeEachAway(
        {
          [`--allow-net=${host}`]: /On Deno run it with --allow-net=localhost:/,
          [`--allow-read=${folder.path}`]: /Requires read access to .* --allow-read/,
        },
        [fake.address, ...files],
        fake,
      );
    } finally {
      await folder.remove();
      await fake.stop();
    }
  },
});

Deno.test({
  name: "TLS with PEM texts needs net alone",
  ...sanitized,
  async fn() {
    const fake = await FakeFalco.start({ tls: true });
    try {
      fake.push(buildAlert({ outputFields: { "proc.name": "bash" } }));
      const { ca, client } = fake.certificates!;
      const flags = [`--allow-net=${new URL(fake.address).host}`];
      const text = await runPermitted(flags, [fake.address, ca, client.cert, client.key], program);
      assert.equal(text, "0.43.1 1 bash\n");
    } finally {
      await fake.stop();
    }
  },
});

/** Runs a command as its task does, without one of the permissions. */
async function runWithout(
  task: string,
  kind: string,
  args: readonly string[],
  goesOn: boolean,
): Promise<{ code: number; text: string }> {
  const flags = denoFlags[task]!.filter((flag) => !flag.startsWith(`--allow-${kind}`));
  assert.equal(flags.length, denoFlags[task]!.length - 1, `${task} ${kind}`);
  const config = new URL("deno.json", root).pathname;
  const main = new URL("cli/main.ts", root).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--cached-only", `--config=${config}`, ...flags, main, task, ...args],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const printed = new Response(child.stdout).text();
  // Nothing but an error ends a fake that was not interrupted.
  const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
  let text = "";
  for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (goesOn && text.includes("Requires ")) {
      goesOn = false;
      child.kill("SIGINT");
    }
  }
  const { code } = await child.status;
  clearTimeout(timer);
  return { code, text: text + await printed };
}

Deno.test({
  name: "each command needs each permission of its task, and says which is missing",
  ...sanitized,
  async fn() {
    const fake = await FakeFalco.start();
    const folder = await makeTempFolder();
    const config = `${folder.path}/falco.yaml`;
    await Deno.writeTextFile(
      config,
      "log_stderr: true\nprogram_output: { enabled: true, program: cat }\n",
    );
    const gateway = `${folder.path}/gateway.yaml`;
    await Deno.writeTextFile(
      gateway,
      `version: 1\nsources: [{ name: s, type: http, listen: "127.0.0.1:0" }]\n` +
        `listeners: [{ name: l, address: "unix://${folder.path}/gateway.sock" }]\n`,
    );
    const fixture = `${folder.path}/alerts.jsonl`;
    await Deno.writeTextFile(fixture, `${formatAlert(buildAlert())}\n`);
    const withVariable = `${folder.path}/variable.yaml`;
    await Deno.writeTextFile(withVariable, "program_output: { program: '${FAKE_PROGRAM}' }\n");
    const cases = [
      { task: "replay", kinds: ["net", "read", "write"], args: [] },
      { task: "fake", kinds: ["net", "read", "write"], args: [] },
      // A program is started when an alert comes, and the fake goes on without it.
      { task: "fake", kinds: ["run"], args: ["-c", config, "--fixture", fixture] },
      { task: "fake", kinds: ["env"], args: ["-c", withVariable] },
      { task: "tail", kinds: ["net", "read", "write"], args: [fake.address] },
      {
        task: "record",
        kinds: ["net", "read", "write"],
        args: [fake.address, "-o", `${folder.path}/a.jsonl`],
      },
      { task: "doctor", kinds: ["net", "read", "write"], args: [fake.address] },
      { task: "contract", kinds: ["net", "read", "write"], args: [fake.address] },
      { task: "certs", kinds: ["read", "write"], args: [`${folder.path}/certs`] },
      { task: "gateway", kinds: ["net", "read", "write"], args: ["-c", gateway] },
    ];
    try {
      for (const { task, kinds, args } of cases) {
        for (const kind of kinds) {
          const { code, text } = await runWithout(task, kind, args, kind === "run");
          assert.match(text, new RegExp(`Requires ${kind} access to `), `${task} ${kind}: ${text}`);
          assert(
            kind === "run" ? code === 130 : code === 1 || code === 2,
            `${task} ${kind} ended with ${code}`,
          );
        }
      }
      // Every permission of every task was taken away once.
      for (const [task, flags] of Object.entries(denoFlags)) {
        const taken = cases.filter((one) => one.task === task).flatMap(({ kinds }) => kinds);
        const granted = flags.flatMap((flag) => /^--allow-([a-z]+)/.exec(flag)?.[1] ?? []);
        assert.deepEqual(taken.sort(), granted.sort(), task);
      }
      assert.equal(fake.requests.length, 0);
    } finally {
      await folder.remove();
      await fake.stop();
    }
  },
});

Deno.test({
  name: "certs needs read and write, no net, and says which is missing",
  ...sanitized,
  async fn() {
    const folder = await makeTempFolder();
    try {
      for (const kind of ["read", "write"]) {
        const { code, text } = await runWithout("certs", kind, [`${folder.path}/certs`], false);
        assert.match(text, new RegExp(`Requires ${kind} access to `), text);
        assert(code === 1 || code === 2, kind);
        assert.deepEqual([...Deno.readDirSync(folder.path)], []);
      }
      assert.deepEqual(denoFlags["certs"]!.filter((flag) => flag.startsWith("--allow")), [
        "--allow-read",
        "--allow-write",
      ]);
    } finally {
      await folder.remove();
    }
  },
});

Deno.test({
  name: "the bundled scenarios and the operators need no permission at all",
  ...sanitized,
  async fn() {
    const text = await runPermitted(
      [],
      [],
      `
      import { scenarios } from "${new URL("harness/scenarios/mod.ts", root)}";
      import { FilterStream } from "${new URL("lib/streams/mod.ts", root)}";
      import * as all from "${new URL("mod.ts", root)}";
      import * as harness from "${new URL("harness/mod.ts", root)}";
      console.log(Object.keys(scenarios).length, typeof FilterStream, typeof all.connect);
      console.log([...harness.expandScenario(scenarios.noisyStorm)].length > 0);
    `,
    );
    assert.equal(text, "6 function function\ntrue\n");
  },
});

Deno.test({
  name: "a client and a subscription leave no timer, socket or op behind",
  ...sanitized,
  async fn() {
    const { connect } = await import("../../lib/client/connect.ts");
    for (const tls of [false, true]) {
      const fake = await FakeFalco.start({ tls });
      fake.push(buildAlert(), buildAlert());
      const falco = connect(fake.address, { tls: fake.credentials });
      let count = 0;
      for await (const _ of falco.outputs.subscribe()) if (++count === 2) break;
      assert.equal((await Array.fromAsync(falco.outputs.get())).length, 0);
      await falco.close();
      await fake.stop();
    }
  },
});
