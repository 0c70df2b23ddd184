/** Every example runs with the flags that it names. */
import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);
const expected: Record<string, RegExp> = {
  "01_print_alerts.ts": /^Falco 0\.43\.1, engine 0\.58\.0\n(?:[a-z]+ ".*" \S+\n){10}$/,
  "02_severe_alerts_in_batches.ts": /^(?:\[\{.*\}\]\n)+\d+ repetitions dropped\n$/,
  "03_test_a_pipeline_test.ts": /pages once a minute at most .* ok|1 passed/,
};

Deno.test("there is an expectation for every example", () => {
  const files = [...Deno.readDirSync(new URL("examples", root))].map(({ name }) => name).sort();
  assert.deepEqual(files, Object.keys(expected));
});

for (const [file, output] of Object.entries(expected)) {
  Deno.test(`examples/${file} runs`, async () => {
    const text = await Deno.readTextFile(new URL(`examples/${file}`, root));
    const command = / \* {5}deno (.+)/.exec(text)?.[1] ?? "";
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
