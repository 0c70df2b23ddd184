/** Three seconds of a soak: faults strike, readers leave, and the numbers are in order. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { makeTempFolder } from "../../harness/temp_folder.ts";

const root = new URL("../../", import.meta.url);

async function soak(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "soak", ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

Deno.test("deno task soak loses nothing without a reason, and writes its plot", async () => {
  const folder = await makeTempFolder();
  try {
    // Too short for a word on memory, so the status is not looked at.
    const { out, err } = await soak("--minutes", "0.05", "--rate", "500", "--results", folder.path);
    assert.equal(err, "");
    for (const lane of ["unix", "TLS"]) {
      const [, sent, received, lost] = new RegExp(
        `^${lane}: (\\d+) sent, (\\d+) received, (\\d+) lost, 0 twice, 0 out of order$`,
        "m",
      )
        .exec(out)?.map(Number) ?? [];
      assert(received! > 0, out);
      assert.equal(received! + lost!, sent);
    }
    assert.doesNotMatch(out, /never came/);
    assert.match(
      await readFile(`${folder.path}/SOAK.md`, "utf8"),
      /^# Soak\n[^]*seed 1, 500 alerts/,
    );
    assert.match(await readFile(`${folder.path}/soak.svg`, "utf8"), /<polyline points="\S/);
  } finally {
    await folder.remove();
  }
});

Deno.test("deno task soak refuses what is no time", async () => {
  const { code, out, err } = await soak("--minutes", "long");
  assert.equal(code, 2);
  assert.equal(out, "");
  assert.match(err, /^Usage: deno task soak/);
});
