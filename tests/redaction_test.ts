/** `--redact` takes out what was named, and nothing else. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Redaction } from "../cli/record/redaction.ts";
import { buildAlert } from "../harness/build_alert.ts";
import { EventStream } from "../lib/streams/engine/event_stream.ts";

const fields = {
  "user.name": "ann",
  "user.names": "bob",
  "my.user.name": "eve",
  "userxname": "joe",
};

async function redacted(...names: string[]) {
  const redaction = new Redaction(names);
  const alert = buildAlert({ output: "nothing", outputFields: fields });
  const [result] = await Array.fromAsync(
    EventStream.from([alert]).pipeThrough(redaction.operator),
  );
  const { outputFields } = result!;
  const gone = Object.keys(fields).filter((name) =>
    outputFields[name] !== alert.outputFields[name]
  );
  return { gone: gone.sort(), unseen: redaction.unseen };
}

describe("Redaction", () => {
  const cases: { names: string[]; gone: string[]; unseen?: string[] }[] = [
    { names: ["user.name"], gone: ["user.name"] },
    { names: ["user.*"], gone: ["user.name", "user.names"] },
    { names: ["*.name"], gone: ["my.user.name", "user.name"] },
    { names: ["*"], gone: ["my.user.name", "user.name", "user.names", "userxname"] },
    { names: ["user"], gone: [], unseen: ["user"] },
    { names: ["user.name", "user.nam"], gone: ["user.name"], unseen: ["user.nam"] },
  ];
  for (const { names, gone, unseen = [] } of cases) {
    it(`of ${names.join(" and ")} takes out ${gone.join(", ") || "nothing"}`, async () => {
      assert.deepEqual(await redacted(...names), { gone, unseen });
    });
  }
});
