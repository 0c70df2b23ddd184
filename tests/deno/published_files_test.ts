/** What is published is what is imported. Deno only: it asks `deno publish` and `deno info`. */
import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);
const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", root))) as {
  exports: Record<string, string>;
};

async function deno(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const text = {
    stdout: new TextDecoder().decode(stdout),
    stderr: new TextDecoder().decode(stderr),
  };
  assert.equal(code, 0, text.stderr);
  return text;
}

/** Not code: documentation, and what an editor or a registry reads. */
const asides = /^(?:deno\.json|LICENSE|.*\.md|.*\.schema\.json)$/;

Deno.test("what is published is what is imported, and documentation", async () => {
  const { stderr } = await deno("publish", "--dry-run", "--allow-dirty", "--no-check");
  const published = [...stderr.matchAll(/^ +(file:\S+) \(/gm)]
    .map(([, url]) => url!.slice(root.href.length));
  assert(published.includes("mod.ts"));

  const imported = new Set<string>();
  for (const path of Object.values(config.exports)) {
    const { modules } = JSON.parse((await deno("info", "--json", path)).stdout) as {
      modules: readonly { specifier: string }[];
    };
    for (const { specifier } of modules) {
      if (specifier.startsWith(root.href)) imported.add(specifier.slice(root.href.length));
    }
  }
  assert.deepEqual([...imported].filter((path) => !published.includes(path)), []);
  // gen/ is Falco's whole contract, whether all of it is used or not.
  const idle = published.filter((path) =>
    !imported.has(path) && !asides.test(path) && !path.startsWith("gen/")
  );
  assert.deepEqual(idle, [], 'not imported: see "publish" in deno.json');
});
