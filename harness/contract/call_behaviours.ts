/** How calls of any kind are answered. @module */
import { gzipSync } from "node:zlib";
import { frameMessage } from "../../lib/transport/message_splitter.ts";
import { legacy, measured } from "./behaviour.ts";
import type { RunnableBehaviour } from "./behaviour.ts";
import { REQUEST } from "./contract_call.ts";
import type { CallHeaders } from "./contract_client.ts";
import { GET, SUB, SUBSCRIBE, VERSION } from "./contract_scene.ts";
import type { ContractScene } from "./contract_scene.ts";
import { insist, same } from "./difference.ts";
import { insistOnTrailersOnly } from "./trailers_only.ts";

const common = { section: "calls", minors: [18, 43], source: measured, needs: [] } as const;
const withVersion = [20, 43] as const;

/** HTTP/2's error that gRPC's clients read as status 8. */
const ENHANCE_YOUR_CALM = 11;

async function insistOnUnimplemented(
  scene: ContractScene,
  methods: readonly string[],
): Promise<void> {
  const client = scene.dial();
  for (const method of methods) {
    const call = await client.ask(method);
    same(`the status of ${method}`, await call.end(), 12);
    insistOnTrailersOnly(call, 12);
  }
}

/** That `version` is answered with OK whatever the headers. */
async function insistOnVersion(
  scene: ContractScene,
  variants: readonly CallHeaders[],
): Promise<void> {
  const client = scene.dial();
  for (const headers of variants) {
    const call = await client.ask(VERSION, REQUEST, headers);
    same(`the status with ${JSON.stringify(headers)}`, await call.end(), 0);
    await call.messages(1);
  }
}

/** All of them. */
export const callBehaviours: readonly RunnableBehaviour[] = [
  {
    ...common,
    name: "unknown methods and services are answered with 12 and no words",
    check: "also health and reflection, which Falco does not have: one header block, no message",
    async run(scene) {
      await insistOnUnimplemented(scene, [
        "falco.outputs.service/nothing",
        "falco.nothing.service/sub",
        "grpc.health.v1.Health/Check",
        "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
      ]);
    },
  },
  {
    ...common,
    name: "the subscribe of before 0.24 is unimplemented",
    check: "as other unknown methods",
    minors: [24, 43],
    run: (scene) => insistOnUnimplemented(scene, [SUBSCRIBE]),
  },
  {
    ...common,
    name: "the sub and get of 0.24 are unimplemented before",
    check: "as other unknown methods",
    source: "the .proto of each release",
    minors: legacy,
    run: (scene) => insistOnUnimplemented(scene, [SUB, GET]),
  },
  {
    ...common,
    name: "version is unimplemented before 0.20",
    check: "as other unknown methods",
    source: "the .proto of each release",
    minors: [18, 19],
    run: (scene) => insistOnUnimplemented(scene, [VERSION]),
  },
  {
    ...common,
    name: "GET, and a call without te, are answered with 2 over HTTP 200",
    check: "version with other headers than gRPC's",
    minors: withVersion,
    async run(scene) {
      const client = scene.dial();
      for (const headers of [{ ":method": "GET" }, { te: undefined }]) {
        const call = await client.call(VERSION, headers);
        call.halfClose();
        await call.end();
        same("HTTP status and gRPC status", [call.headers?.[":status"], call.status], [200, 2]);
      }
    },
  },
  {
    ...common,
    name: "any content-type, and an unknown grpc-encoding, are accepted",
    check: "version with each",
    minors: withVersion,
    run: (scene) =>
      insistOnVersion(scene, [
        { "content-type": "application/grpc+proto" },
        { "content-type": "application/json" },
        { "grpc-encoding": "nonsense" },
      ]),
  },
  {
    ...common,
    name: "any :authority will do",
    check: "version with a name, with the socket's path in percent signs, with another host",
    minors: withVersion,
    run: (scene) =>
      insistOnVersion(scene, [
        { ":authority": "localhost" },
        { ":authority": "%2Frun%2Ffalco%2Ffalco.sock" },
        { ":authority": "falco.example:5060" },
      ]),
  },
  {
    ...common,
    name: "metadata is ignored, session_id and request_id among it",
    check: "version with both",
    minors: withVersion,
    run: (scene) => insistOnVersion(scene, [{ session_id: "1", request_id: "2" }]),
  },
  {
    ...common,
    name: "metadata above 8 KiB is refused with 8",
    check: "version with 9,000 bytes more; RST_STREAM ENHANCE_YOUR_CALM reads as 8 in every client",
    minors: withVersion,
    async run(scene) {
      const client = scene.dial();
      const call = await client.ask(VERSION, REQUEST, { long: "x".repeat(9_000) });
      await call.end();
      const status = call.status ?? (call.resetCode === ENHANCE_YOUR_CALM ? 8 : undefined);
      same("status", status, 8);
      same("status of the next call", await (await client.ask(VERSION)).end(), 0);
    },
  },
  {
    ...common,
    name: "requests may be compressed, answers never are",
    check: "version with a gzipped request",
    minors: withVersion,
    async run(scene) {
      const call = await scene.dial().call(VERSION, { "grpc-encoding": "gzip" });
      const frame = frameMessage(gzipSync(REQUEST));
      frame[0] = 1; // compressed
      call.raw(frame);
      call.halfClose();
      same("status", await call.end(), 0);
      insist(!call.events.includes("error"), "the answer cannot be read: it is compressed");
      same("grpc-encoding", call.headers?.["grpc-encoding"] ?? "identity", "identity");
    },
  },
];
