/** Connects as a user who may not open the socket, and says what it was told. */
import process from "node:process";
import { connect } from "../../lib/client/connect.ts";
import { FalcoConnectError } from "../../lib/errors.ts";

const NOBODY = 65_534;

const falco = connect(process.argv[2]);
process.setegid!(NOBODY);
process.seteuid!(NOBODY); // everything is loaded; only the socket is opened as somebody else
const told: unknown[] = [];
const tell = (error: unknown): void => {
  if (!(error instanceof FalcoConnectError)) throw error;
  const { reason, passing, message } = error;
  told.push({ reason, passing, message });
};
await falco.version().catch(tell);
await Array.fromAsync(falco.outputs.get()).catch(tell);
await Array.fromAsync(falco.outputs.subscribe()).catch(tell); // not passing: it fails at once
await falco.close();
console.log(JSON.stringify(told));
