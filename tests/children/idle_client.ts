/** Uses a client and leaves it as it is: the process is to end by itself. */
import process from "node:process";
import { connect } from "../../lib/client/connect.ts";

const [address, tls, what] = process.argv.slice(2);
const falco = connect(address, tls === "" ? {} : { tls: JSON.parse(tls!) });
await falco.version();
if (what === "get") await Array.fromAsync(falco.outputs.get());
if (what === "subscribe") { for await (const _ of falco.outputs.subscribe()) break; }
console.log("idle");
