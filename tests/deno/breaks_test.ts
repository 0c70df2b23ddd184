/** A break is caught, survives, takes too long, or does not fit: on a tree of three files. */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { makeTempFolder } from "../../harness/temp_folder.ts";
import type { Break } from "../breaks/break.ts";
import { runBreaks } from "../breaks/run_breaks.ts";
import type { BreakResult } from "../breaks/run_breaks.ts";

const source = 'export const sum = (a: number, b: number) => a + b;\nexport const name = "sum";\n';
const suite = (expected: number) =>
  `import { sum } from "../lib/sum.ts";
import assert from "node:assert/strict";
Deno.test("sum", async () => {
  const result: number = sum(1, 2);
  if (result === 0) await new Promise((resolve) => setTimeout(resolve, 60_000));
  assert.equal(result, ${expected});
});
`;
const base: Break = { name: "", file: "lib/sum.ts", find: "a + b;", replace: "", tests: ["sum"] };

async function inTree<T>(expected: number, work: (root: string) => Promise<T>): Promise<T> {
  const folder = await makeTempFolder();
  try {
    for (const name of ["lib", "tests"]) await mkdir(`${folder.path}/${name}`);
    await writeFile(`${folder.path}/deno.json`, "{}\n");
    await writeFile(`${folder.path}/lib/sum.ts`, source);
    await writeFile(`${folder.path}/tests/sum_test.ts`, suite(expected));
    return await work(folder.path);
  } finally {
    await folder.remove();
  }
}

Deno.test("runBreaks() tells what became of each break, and leaves the tree alone", async () => {
  const breaks = [
    { ...base, name: "minus", replace: "a - b;" },
    { ...base, name: "another name", find: '"sum"', replace: '"total"' },
    { ...base, name: "gone", find: "a * b" },
    { ...base, name: "no end", replace: "a * b * 0;" },
  ];
  await inTree(3, async (root) => {
    const told: BreakResult[] = [];
    const onResult = (result: BreakResult) => void told.push(result);
    const results = await runBreaks(breaks, { root, jobs: 1, limitMs: 10_000, onResult });
    assert.deepEqual(results.map(({ outcome }) => outcome), [
      "caught",
      "survived",
      "stale",
      "late",
    ]);
    assert.deepEqual(told, results);
    assert.match(results[2]?.problem ?? "", /"find" occurs 0 times/);
    assert.equal(await readFile(`${root}/lib/sum.ts`, "utf8"), source);
  });
});

Deno.test("runBreaks() refuses to begin where suites fail anyway", async () => {
  await inTree(4, async (root) => {
    const running = runBreaks([{ ...base, replace: "a - b;" }], {
      root,
      jobs: 1,
      limitMs: 10_000,
      onResult() {},
    });
    await assert.rejects(running, /^Error: Cannot begin: sum fails unbroken\n/);
  });
});
