import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AlertFormatError,
  FalcoClosedError,
  FalcoConnectError,
  FalcoError,
  FalcoRpcError,
  OverflowError,
} from "../lib/errors.ts";

const cause = new Error("below");
const connectDetails = { address: "unix:///a", reason: "lost" } as const;
const rpcDetails = { method: "falco.outputs.service/sub", status: 12 };

const cases = [
  {
    name: "FalcoError",
    plain: new FalcoError("Cannot"),
    caused: new FalcoError("Cannot", { cause }),
    fields: {},
  },
  {
    name: "FalcoConnectError",
    plain: new FalcoConnectError("Cannot", connectDetails),
    caused: new FalcoConnectError("Cannot", { ...connectDetails, cause }),
    fields: connectDetails,
  },
  {
    name: "FalcoRpcError",
    plain: new FalcoRpcError("Cannot", rpcDetails),
    caused: new FalcoRpcError("Cannot", { ...rpcDetails, cause }),
    fields: rpcDetails,
  },
  {
    name: "FalcoClosedError",
    plain: new FalcoClosedError("Cannot"),
    caused: new FalcoClosedError("Cannot", { cause }),
    fields: {},
  },
  {
    name: "OverflowError",
    plain: new OverflowError("Cannot", { capacity: 7 }),
    caused: new OverflowError("Cannot", { capacity: 7, cause }),
    fields: { capacity: 7 },
  },
  {
    name: "AlertFormatError",
    plain: new AlertFormatError("Cannot"),
    caused: new AlertFormatError("Cannot", { cause }),
    fields: { line: 1, column: 1 },
  },
];

for (const { name, plain, caused, fields } of cases) {
  test(`${name} tells what it is, and keeps its cause`, () => {
    for (const error of [plain, caused]) {
      assert(error instanceof FalcoError);
      assert(error instanceof Error);
      assert.equal(error.constructor.name, name);
      assert.equal(error.name, name);
      assert.equal(error.message, "Cannot");
      assert.equal(String(error), `${name}: Cannot`);
      assert(error.stack?.includes("Cannot"));
      for (const [key, value] of Object.entries(fields)) {
        assert.equal((error as unknown as Record<string, unknown>)[key], value);
      }
    }
    assert.equal(caused.cause, cause);
    // Runtimes print an own "cause", even an undefined one.
    assert(!Object.hasOwn(plain, "cause"));
  });
}

test("AlertFormatError points at a place", () => {
  const { line, column } = new AlertFormatError("Cannot", { line: 3, column: 7 });
  assert.deepEqual([line, column], [3, 7]);
  assert.equal(new AlertFormatError("Cannot", { line: 3 }).column, 1);
  assert.equal(new AlertFormatError("Cannot", { column: 7 }).line, 1);
});
