/** What `falco.outputs.service/get` and `falco.version.service/version` do. @module */
import { fromBinary } from "@bufbuild/protobuf";
import { responseSchema as versionSchema } from "../../gen/version_pb.ts";
import { current, measured } from "./behaviour.ts";
import type { RunnableBehaviour } from "./behaviour.ts";
import { GARBAGE } from "./contract_call.ts";
import { GET, rules, SUB, VERSION } from "./contract_scene.ts";
import { insist, same } from "./difference.ts";
import { fieldNumbers } from "./field_numbers.ts";
import { insistOnTrailersOnly } from "./trailers_only.ts";

const get = { section: "get", minors: current, source: measured } as const;
const version = { section: "version", minors: [20, 43], source: measured } as const;

/** What `get` does. */
export const getBehaviours: readonly RunnableBehaviour[] = [
  {
    ...get,
    name: "get ends with OK",
    check: "a get, whatever is queued",
    needs: ["alerts"],
    async run(scene) {
      same("status", await (await scene.dial().ask(GET)).end(), 0);
    },
  },
  {
    ...get,
    name: "get drains the queue in order and ends with OK",
    check: "three alerts are queued; headers, three messages, trailers with a status and no words",
    needs: ["push"],
    async run(scene) {
      await scene.push(...rules(1, 3));
      const call = await scene.dial().ask(GET);
      same("status", await call.end(), 0);
      same("alerts", call.here(), rules(1, 3));
      const { "grpc-status": inHeaders } = call.headers!;
      same("status in headers, words", [inHeaders, call.trailers!["grpc-message"]], [
        undefined,
        undefined,
      ]);
    },
  },
  {
    ...get,
    name: "get on an empty queue is answered with OK alone",
    check: "one header block with the status must come, and no message",
    needs: ["push"],
    async run(scene) {
      const call = await scene.dial().ask(GET);
      await call.end();
      insistOnTrailersOnly(call, 0);
    },
  },
  {
    ...get,
    name: "get does not wait for the client's half-close",
    check: "a request without half-close must be answered to the end",
    needs: ["push"],
    async run(scene) {
      await scene.push(...rules(1));
      const call = await scene.dial().call(GET);
      call.request();
      same("status", await call.end(), 0);
      same("alerts", call.here(), rules(1));
    },
  },
  {
    ...get,
    name: "get and sub share one queue",
    check: "get takes what is queued, then sub finds nothing",
    needs: ["push"],
    async run(scene) {
      const client = scene.dial();
      const sub = await client.call(SUB);
      await scene.push(...rules(1, 4));
      same("alerts of get", await scene.drain(), rules(1, 4));
      sub.request();
      await scene.quiet(client);
      same("alerts of sub", sub.here(), []);
    },
  },
  {
    ...get,
    name: "get refuses a request that it cannot decode, and takes nothing",
    check: "bytes that are no message: status 13 and its words",
    needs: [],
    async run(scene) {
      const call = await scene.dial().ask(GET, GARBAGE);
      await call.end();
      insistOnTrailersOnly(call, 13, "Unable to parse request");
    },
  },
];

/** What `version` does. */
export const versionBehaviours: readonly RunnableBehaviour[] = [
  {
    ...version,
    name: "version has the fields of its time, and zero is not among them",
    check: "the numbers of the fields in the answer, and the version in words and numbers",
    source: "the .proto of each release; measured on 0.43.1",
    needs: [],
    async run(scene) {
      const call = await scene.dial().ask(VERSION);
      const [message] = await call.messages(1);
      same("status", await call.end(), 0);
      const said = fromBinary(versionSchema, message!);
      const [, minor] = scene.version;
      same("the numbers", `${said.major}.${said.minor}.${said.patch}`, scene.version.join("."));
      insist(
        said.version.startsWith(scene.version.join(".")),
        `the version in words is ${JSON.stringify(said.version)}`,
      );
      const allowed = minor < 27 ? 6 : minor < 37 ? 8 : 11;
      const numbers = fieldNumbers(message!);
      insist(numbers.every((number) => number <= allowed), `it has the fields ${numbers.join()}`);
      same("engine_fields_checksum is there", said.engineFieldsChecksum !== "", minor >= 27);
      same("engine_version is there", said.engineVersion !== "", minor >= 37);
    },
  },
  {
    ...version,
    name: "version refuses a request that it cannot decode",
    check: "bytes that are no message: status 13 and its words",
    needs: [],
    async run(scene) {
      const call = await scene.dial().ask(VERSION, GARBAGE);
      await call.end();
      insistOnTrailersOnly(call, 13, "Unable to parse request");
    },
  },
  {
    ...version,
    name: "version is answered beside an open sub",
    check: "sub is opened on the same connection",
    minors: current,
    needs: [],
    async run(scene) {
      const client = scene.dial();
      await client.call(SUB);
      same("status", await (await client.ask(VERSION)).end(), 0);
    },
  },
];
