/** Alerts, a folder for each test and what is in it, that the tests of `record` share. @module */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach } from "node:test";
import type { Provenance } from "../cli/record/provenance.ts";
import { expandScenario } from "../harness/expand_scenario.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { decodeAlert, encodeAlert } from "../lib/alert/wire.ts";
import type { Running } from "./run_cli.ts";

/** The lines of a text. */
export const lines = (text: string): string[] => text.split("\n").slice(0, -1);
const overGrpc = (alert: Alert): Alert => decodeAlert(encodeAlert(alert));
/** The alerts of an incident, with what gRPC leaves of them. */
export const incident = [...expandScenario(scenarios.containerEscape)].map(overGrpc);
/** The digest in what a command has said at its end. */
export const digestIn = (text: string): string | undefined =>
  /^digest: *([0-9a-f]{16})$/m.exec(text)?.[1];

let root: TempFolder;
let count = 0;
/** A folder for each test of a file that has called {@linkcode useFolders}. */
export let folder = "";

/** Makes a folder before each test of the file that calls it, and removes all at the end. */
export function useFolders(): void {
  before(async () => {
    root = await makeTempFolder();
  });
  beforeEach(() => {
    folder = join(root.path, String(++count));
    mkdirSync(folder);
  });
  after(() => root.remove());
}

/** A path in the folder of the test. */
export const out = (name: string): string => join(folder, name);
/** The text of a file in it. */
export const read = (name: string): string => readFileSync(out(name), "utf8");
/** What was written beside a recording in it. */
export const provenanceOf = (name: string): Provenance =>
  JSON.parse(read(`${name}.provenance.json`)) as Provenance;

/** Runs a fake Falco. */
export async function withFake(run: (fake: FakeFalco) => Promise<void>): Promise<void> {
  const fake = await FakeFalco.start();
  try {
    await run(fake);
  } finally {
    await fake[Symbol.asyncDispose]();
  }
}

/** Resolves once a file holds as many lines. */
export async function grown({ finished }: Running, name: string, least: number): Promise<void> {
  let over = false;
  void finished.then(() => over = true);
  while (!existsSync(out(name)) || lines(read(name)).length < least) {
    if (over) throw new Error(`it ended: ${(await finished).stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
