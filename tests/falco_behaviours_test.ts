/** Each behaviour of Falco in falco_behaviours/, the index to the fake's tests, has its test. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import type { Behaviour } from "./falco_behaviours/behaviour.ts";
import { callBehaviours } from "./falco_behaviours/call_behaviours.ts";
import { runBehaviours } from "./falco_behaviours/run_behaviours.ts";
import { serverBehaviours } from "./falco_behaviours/server_behaviours.ts";
import { setupBehaviours } from "./falco_behaviours/setup_behaviours.ts";

const behaviours: readonly Behaviour[] = [
  ...callBehaviours,
  ...serverBehaviours,
  ...setupBehaviours,
  ...runBehaviours,
];

describe("What a real Falco was seen to do", () => {
  for (const [section, behaviour, file, title] of behaviours) {
    it(`${section}: ${behaviour}`, async () => {
      const name = file.endsWith("_test") ? file : `fake_falco_${file}_test`;
      const path = new URL(`./${name}.ts`, import.meta.url);
      const source = (await readFile(path, "utf8")).replaceAll('\\"', '"');
      assert.ok(source.includes(title), `no test ${JSON.stringify(title)} in ${file}`);
    });
  }

  it("is in the list once", () => {
    const names = behaviours.map(([section, behaviour]) => `${section}: ${behaviour}`);
    assert.equal(new Set(names).size, names.length);
  });
});
