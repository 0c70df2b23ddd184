/**
 * Every entry point and every public symbol says what it is, and shows how it is used; and no type is
 * lost or added by accident. Deno only: it asks `deno doc`.
 */
import assert from "node:assert/strict";
import { publicTypes } from "./public_types.ts";

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

interface Doc {
  readonly nodes: Readonly<
    Record<string, {
      readonly module_doc?: { readonly doc?: string; readonly tags?: readonly { kind: string }[] };
      readonly symbols: readonly {
        readonly name: string;
        readonly declarations: readonly { readonly kind: string }[];
      }[];
    }>
  >;
}

async function docOf(path: string): Promise<Doc> {
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

/** What the registry's score asks for, as far as it can be known here. */
for (const path of entryPoints) {
  Deno.test(`${path} has a module doc with an example, and the types it is known for`, async () => {
    const [{ module_doc, symbols } = { symbols: [] }] = Object.values((await docOf(path)).nodes);
    const { doc = "", tags = [] } = module_doc ?? {};
    assert(doc.length > 60, "no module doc");
    assert(doc.includes("```ts\n") || tags.some(({ kind }) => kind === "example"), "no example");
    const types = symbols.filter(({ declarations }) =>
      declarations.every(({ kind }) => kind === "interface" || kind === "typeAlias")
    );
    assert.deepEqual(types.map(({ name }) => name).sort(), publicTypes[path]);
  });

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
