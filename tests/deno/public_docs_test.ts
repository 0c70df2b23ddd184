/** Every public symbol says what it is, and shows how it is used. Deno only: it asks `deno doc`. */
import assert from "node:assert/strict";

interface DocNode {
  readonly name: string;
  readonly kind: string;
  readonly declarationKind?: string;
  readonly jsDoc?: { readonly doc?: string; readonly tags?: readonly { readonly kind: string }[] };
}

const root = new URL("../../", import.meta.url).pathname;
const entryPoints = [
  "mod.ts",
  "lib/streams/mod.ts",
  "harness/mod.ts",
  "gateway/mod.ts",
  "cli/main.ts",
];

async function docOf(path: string): Promise<unknown> {
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", `${root}${path}`],
  }).output();
  assert(success, path);
  return JSON.parse(new TextDecoder().decode(stdout));
}

function* documented(value: unknown): Generator<DocNode> {
  if (Array.isArray(value)) { for (const item of value) yield* documented(item); }
  else if (typeof value === "object" && value !== null) {
    const node = value as Partial<DocNode> & { declarations?: readonly DocNode[] };
    if (typeof node.name === "string" && Array.isArray(node.declarations)) {
      for (const one of node.declarations) yield { ...one, name: node.name };
      return;
    }
    for (const item of Object.values(value)) yield* documented(item);
  }
}

for (const path of entryPoints) {
  Deno.test(`every public symbol of ${path} has an example`, async () => {
    const doc = await docOf(path);
    const byName = new Map<string, boolean>();
    for (const { name, jsDoc } of documented(doc)) {
      const hasExample = (jsDoc?.tags ?? []).some(({ kind }) => kind === "example");
      byName.set(name, (byName.get(name) ?? false) || hasExample);
    }
    assert(byName.size > 0);
    assert.deepEqual([...byName].filter(([, has]) => !has).map(([name]) => name), []);
  });
}
