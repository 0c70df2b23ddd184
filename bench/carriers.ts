/** How fast alerts are read and written, beside the libraries one would use otherwise. @module */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { responseSchema } from "../gen/outputs_pb.ts";
import { expandScenario } from "../harness/expand_scenario.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { parseAlert } from "../lib/alert/parse_alert.ts";
import { decodeAlert, encodeAlert } from "../lib/alert/wire.ts";
import type { Bench } from "./bench.ts";

/** Decodes, encodes, parses and formats the alerts of the bundled scenarios. */
export async function benchCarriers(bench: Bench): Promise<void> {
  const alerts = Object.values(scenarios).flatMap((scenario) => [...expandScenario(scenario)]);
  const messages = alerts.map((alert) => encodeAlert(alert));
  const decoded = messages.map((message) => fromBinary(responseSchema, message));
  const texts = messages.map((message) => decodeAlert(message));
  const lines = alerts.map(formatAlert);
  const over = <T>(items: readonly T[], work: (item: T) => number) => ({
    run() {
      let digest = 0;
      for (const item of items) digest += work(item);
      return { operations: items.length, digest };
    },
  });
  await bench.compare("Decoding an alert from protobuf, all fields", [
    {
      name: "protobuf-es fromBinary",
      ...over(messages, (bytes) => fromBinary(responseSchema, bytes).rule.length),
    },
    { name: "decodeAlert", ...over(messages, (bytes) => decodeAlert(bytes).rule.length) },
  ]);
  await bench.compare("Encoding an alert to protobuf", [
    {
      name: "protobuf-es toBinary",
      ...over(decoded, (message) => toBinary(responseSchema, message).length),
    },
    { name: "encodeAlert", ...over(texts, (alert) => encodeAlert(alert).length) },
  ]);
  await bench.compare("Reading an alert from Falco's JSON, integers exact", [
    {
      name: "JSON.parse (integers rounded)",
      ...over(lines, (line) => JSON.parse(line).rule.length),
    },
    { name: "parseAlert", ...over(lines, (line) => parseAlert(line).rule.length) },
  ]);
  await bench.compare("Writing an alert as Falco's JSON, keys in order", [
    {
      name: "JSON.stringify (keys as they come)",
      ...over(texts, (alert) => Math.sign(JSON.stringify(alert).length)),
    },
    { name: "formatAlert", ...over(texts, (alert) => Math.sign(formatAlert(alert).length)) },
  ]);
}
