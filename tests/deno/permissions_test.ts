/**
 * The permissions that the README promises: exactly these are enough, and with one less the message
 * says which is missing. Deno only; the sanitizers are on.
 */
import assert from "node:assert/strict";
import { writeCertificates } from "../../harness/certificates.ts";
import { FakeFalco } from "../../harness/fake_falco.ts";
import { makeTempFolder } from "../../harness/temp_folder.ts";
import { buildAlert } from "../../harness/build_alert.ts";
import { denoFlags } from "../run_cli.ts";

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

async function runProgram(
  flags: readonly string[],
  args: readonly string[],
  text: string = program,
): Promise<string> {
  const folder = await makeTempFolder();
  try {
    const path = `${folder.path}/program.ts`;
    await Deno.writeTextFile(path, text);
    const config = new URL("deno.json", root).pathname;
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        "--cached-only",
        `--config=${config}`,
        ...flags,
        path,
        ...args,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  } finally {
    await folder.remove();
  }
}

const sanitized = { sanitizeOps: true, sanitizeResources: true };

/** Runs the program with all flags, and with each of them taken away. */
async function takeEachAway(
  flags: Record<string, RegExp>,
  args: readonly string[],
  fake: FakeFalco,
): Promise<void> {
  fake.push(buildAlert({ outputFields: { "proc.name": "bash" } }));
  assert.equal(await runProgram(Object.keys(flags), args), "0.43.1 1 bash\n");
  for (const [missing, message] of Object.entries(flags)) {
    const rest = Object.keys(flags).filter((flag) => flag !== missing);
    const text = await runProgram(rest, args);
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
      const text = await runProgram(flags, [fake.address, ca, client.cert, client.key]);
      assert.equal(text, "0.43.1 1 bash\n");
    } finally {
      await fake.stop();
    }
  },
});

/** Runs a command as its task does, without one of the permissions. */
async function runWithout(
  task: string,
  permission: RegExp,
  args: readonly string[],
): Promise<{ code: number; text: string }> {
  const flags = denoFlags[task]!.filter((flag) => !permission.test(flag));
  assert.equal(flags.length, denoFlags[task]!.length - 1, String(permission));
  const config = new URL("deno.json", root).pathname;
  const main = new URL("cli/main.ts", root).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--cached-only", `--config=${config}`, ...flags, main, task, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test({
  name: "tail, record and doctor need each permission of their tasks, and say which is missing",
  ...sanitized,
  async fn() {
    const fake = await FakeFalco.start();
    const folder = await makeTempFolder();
    const cases = [
      { task: "tail", args: [] },
      { task: "record", args: ["-o", `${folder.path}/a.jsonl`] },
      { task: "doctor", args: [] },
    ];
    try {
      for (const { task, args } of cases) {
        for (const kind of ["net", "read", "write"]) {
          const permission = new RegExp(`^--allow-${kind}`);
          const { code, text } = await runWithout(task, permission, [fake.address, ...args]);
          assert.match(text, new RegExp(`Requires ${kind} access to `), `${task} ${kind}: ${text}`);
          assert(code === 1 || code === 2, `${task} ${kind}`);
        }
      }
      assert.equal(fake.requests.length, 0);
    } finally {
      await folder.remove();
      await fake.stop();
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
    assert.match(await runProgram([net], ["ca"], hook), refused);
    assert.match(await runProgram([net, ...machine], [], hook), refused);
    assert.match(
      await runProgram([net], [], hook),
      /^FalcoError Cannot deliver .* wants --allow-sys and --allow-env=NODE_USE_SYSTEM_CA/,
    );
    assert.match(
      await runProgram([], ["ca"], hook),
      /^FalcoError Cannot deliver .* Requires net access/,
    );
  },
});

Deno.test({
  name: "certs needs read and write, no net, and says which is missing",
  ...sanitized,
  async fn() {
    const folder = await makeTempFolder();
    try {
      for (const kind of ["read", "write"]) {
        const permission = new RegExp(`^--allow-${kind}`);
        const { code, text } = await runWithout("certs", permission, [`${folder.path}/certs`]);
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
    const text = await runProgram(
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
