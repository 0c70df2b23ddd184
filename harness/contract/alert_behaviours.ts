/** What alerts look like on the wire. @module */
import { fromBinary } from "@bufbuild/protobuf";
import { responseSchema } from "../../gen/outputs_pb.ts";
import type { response } from "../../gen/outputs_pb.ts";
import { priorities } from "../../lib/alert/priority.ts";
import { buildAlert } from "../build_alert.ts";
import { measured } from "./behaviour.ts";
import type { RunnableBehaviour } from "./behaviour.ts";
import { GET, SUBSCRIBE } from "./contract_scene.ts";
import type { ContractScene } from "./contract_scene.ts";
import { insist, same } from "./difference.ts";
import { fieldNumbers } from "./field_numbers.ts";

const common = { section: "alerts", minors: [18, 43], source: measured, needs: ["push"] } as const;

/** The messages in the queue. */
async function take(scene: ContractScene, count: number): Promise<Uint8Array[]> {
  const call = await scene.dial().ask(scene.version[1] < 24 ? SUBSCRIBE : GET);
  const messages = await call.messages(count);
  same("status", await call.end(), 0);
  return messages;
}

async function takeOne(scene: ContractScene): Promise<[Uint8Array, response]> {
  const [bytes] = await take(scene, 1);
  return [bytes!, fromBinary(responseSchema, bytes!)];
}

/** All of them. */
export const alertBehaviours: readonly RunnableBehaviour[] = [
  {
    ...common,
    name: "an alert has the fields of its time",
    check: "the numbers of the fields: hostname since 0.19, tags since 0.30, source since 0.31",
    source: "the .proto of each release; measured on 0.43.1",
    async run(scene) {
      await scene.pushAlerts(buildAlert({ priority: "critical", source: "k8s_audit" }));
      const [bytes] = await takeOne(scene);
      const [, minor] = scene.version;
      const last = minor < 19 ? 6 : minor < 30 ? 7 : minor < 31 ? 8 : 9;
      const expected = Array.from({ length: last }, (_, index) => index + 1);
      same("fields", fieldNumbers(bytes), expected);
    },
  },
  {
    ...common,
    name: "what is zero is not on the wire: priority emergency, source syscall",
    check: "an emergency of source syscall has neither field 2 nor 3",
    async run(scene) {
      await scene.pushAlerts(buildAlert({ priority: "emergency", source: "syscall" }));
      const numbers = fieldNumbers((await takeOne(scene))[0]);
      same("fields 2 and 3", numbers.filter((number) => number === 2 || number === 3), []);
    },
  },
  {
    ...common,
    name: "priorities are 0 for emergency to 7 for debug",
    check: "one alert of each",
    async run(scene) {
      const ordered = [...priorities];
      await scene.pushAlerts(...ordered.map((priority) => buildAlert({ priority })));
      const messages = await take(scene, ordered.length);
      const seen = messages.map((bytes) => fromBinary(responseSchema, bytes).priority as number);
      const severity = ["emergency", "alert", "critical", "error", "warning", "notice"];
      const expected = ordered.map((name) => [...severity, "informational", "debug"].indexOf(name));
      same("numbers", seen, expected);
    },
  },
  {
    ...common,
    name: "the time keeps its nanoseconds",
    check: "an alert with all nine digits",
    async run(scene) {
      const time = { seconds: 1_470_327_477, nanos: 881_781_397 };
      await scene.pushAlerts(buildAlert({ time }));
      const [, { time: seen }] = await takeOne(scene);
      same("time", [Number(seen?.seconds), seen?.nanos], [time.seconds, time.nanos]);
    },
  },
  {
    ...common,
    name: "every value of output_fields is text, an absent one <NA>",
    check: "a number, a truth value and a null",
    async run(scene) {
      const outputFields = { "proc.pid": 42, "proc.is_sid_leader": false, "fd.name": null };
      await scene.pushAlerts(buildAlert({ outputFields }));
      const [, { outputFields: seen }] = await takeOne(scene);
      same("fields", Object.keys(outputFields).map((name) => seen[name]), ["42", "false", "<NA>"]);
    },
  },
  {
    ...common,
    name: "up to 0.38 the time of the text is in output_fields, later not",
    check: "evt.time in the fields of an alert whose rule does not name it",
    source: "read in the source of 0.27.0 to 0.41.0; measured on 0.43.1",
    async run(scene) {
      await scene.pushAlerts(buildAlert());
      const [, { outputFields }] = await takeOne(scene);
      same("evt.time is there", "evt.time" in outputFields, scene.version[1] <= 38);
    },
  },
  {
    ...common,
    name: "source is a name since 0.31, with the number 3 beside it for plugins",
    check: "an alert of source okta",
    minors: [31, 43],
    async run(scene) {
      await scene.pushAlerts(buildAlert({ source: "okta" }));
      const [, { source, sourceDeprecated }] = await takeOne(scene);
      same("name and number", [source, sourceDeprecated as number], ["okta", 3]);
    },
  },
  {
    ...common,
    name: "alerts above 4 MiB are sent, in one message and not compressed",
    check: "an alert with an output of 5 MiB",
    async run(scene) {
      const output = "x".repeat(5 * 1024 * 1024);
      await scene.pushAlerts(buildAlert({ output }));
      const [bytes] = await take(scene, 1);
      insist(bytes!.length > output.length, `the message has ${bytes!.length} bytes`);
    },
  },
];
