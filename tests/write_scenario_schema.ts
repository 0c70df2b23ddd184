/** Writes harness/scenario.schema.json, from the rules that the parser follows. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { scenarioSchema } from "../harness/scenario_rules.ts";

const file = fileURLToPath(new URL("../harness/scenario.schema.json", import.meta.url));
writeFileSync(file, `${JSON.stringify(scenarioSchema(), null, 2)}\n`);
