/** Every example runs by the command that it names. Those for Node and Bun: examples_on_test.ts. */
import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);

/** What each prints. */
const expected: Record<string, RegExp> = {
  "01_print_alerts.ts": /^Falco 0\.43\.1, engine 0\.58\.0\n(?:[a-z]+ ".*" \S+\n){10}$/,
  "02_severe_alerts_in_batches.ts": /^(?:\[\{.*\}\]\n)+\d+ repetitions dropped\n$/,
  "03_test_a_pipeline_test.ts": /pages once a minute at most .* ok|1 passed/,
  "04_filter_with_a_condition.ts":
    /^(?:[a-z]+ \[".*",".*"\]\n)*warning \["Read sensitive file untrusted","cat"\]\n(?:[a-z]+ \[".*",".*"\]\n)+$/,
  "05_batch_to_a_webhook.ts":
    /^\[\{"hostname":.*\}\]\n(?:attempt [12]: .* it answered 503\n){2}\d batches delivered, 2 retries, 1 refused\n$/,
  "06_dedupe_and_count.ts":
    /^(?:2026-01-01T05:00:00\.000Z \d+ ".*"\n)+6 alerts, and 52 that were repetitions\n$/,
  "07_mutual_tls.ts": /^Terminal shell in container\ntls: Cannot connect to https:\/\/localhost:/,
  "08_merge_several_falcos.ts":
    /^(?:(?:web-[12]|db-1) ".*"\n){6}db-1 is gone\n(?:web-[12] "Clear Log Activities"\n){2}$/,
  "11_respond_to_critical_alerts.ts":
    /^(?:would run \["\/usr\/bin\/docker","pause","[0-9a-f]{12}"\]\n|no container id: ".*"\n){6}left alone for now: 000000000002\n3 refused, 1 repeated, 1 over the limit\n$/,
  "12_replay_a_recording.ts": /^ +\+0 s notice .*\n(?: +\+\d+ s .*\n){6}7 alerts in \d+ ms\n$/,
  "13_follow_a_file.ts": /^\(opened\)\none\ntwo\n\(opened\)\nthree\n\(rotated\)\nfour\n$/,
  "14_test_with_faults_test.ts": /5 passed/,
  "15_under_deno_test.ts": /1 passed/,
};
/** Those of other runtimes, and what belongs to an example. */
const others = ["09_on_node.ts", "10_on_bun.ts", "16_under_bun_test.ts", "incident.jsonl"];

const read = (path: string) => Deno.readTextFile(new URL(path, root));

Deno.test("there is an expectation for every example", () => {
  const files = [...Deno.readDirSync(new URL("examples", root))].map(({ name }) => name).sort();
  assert.deepEqual(files, [...Object.keys(expected), ...others].sort());
});

Deno.test("the README names every example", async () => {
  const readme = await read("README.md");
  const named = [...readme.matchAll(/\]\(examples\/(\d\d_[a-z_]+\.ts)\)/g)].map(([, file]) => file);
  const files = [...Object.keys(expected), ...others].filter((file) => file.endsWith(".ts")).sort();
  assert.deepEqual(named.sort(), files);
});

for (const [file, output] of Object.entries(expected)) {
  Deno.test(`examples/${file} runs`, async () => {
    const command = / \* {5}deno (.+)/.exec(await read(`examples/${file}`))?.[1] ?? "";
    assert(command.endsWith(`examples/${file}`));
    const [verb = "", ...rest] = command.split(" ");
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [verb, "--quiet", "--no-prompt", ...rest],
      cwd: root,
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    const all = decoder.decode(stdout) + decoder.decode(stderr);
    assert.equal(code, 0, all);
    assert.match(all, output);
  });
}

Deno.test("a response that is not a dry run can start docker, and nothing else", async () => {
  const { stdout, stderr, code } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-net",
      "--allow-read",
      "--allow-write=/tmp",
      "examples/11_respond_to_critical_alerts.ts",
      "--really",
    ],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  assert.match(
    decoder.decode(stdout),
    /^running \["\/usr\/bin\/docker","pause","3f1c9a7be240"\]\n$/,
  );
  assert.match(decoder.decode(stderr), /Requires run access to "\/usr\/bin\/docker"/);
  assert.notEqual(code, 0);
});
