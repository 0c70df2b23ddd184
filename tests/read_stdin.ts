/** Prints the rules of the alerts on standard input, then the counts. @module */
import { openAlerts } from "../mod.ts";

const alerts = await openAlerts("-");
const rules: string[] = [];
for await (const { rule } of alerts) rules.push(rule);
console.log(JSON.stringify(rules), JSON.stringify(alerts.stats()));
