/** Runs a command as a user who may not open the socket. */
import process from "node:process";
import { main } from "../../cli/main.ts";

const NOBODY = 65_534;

process.setegid!(NOBODY);
process.seteuid!(NOBODY); // everything is loaded; only the socket is opened as somebody else
process.exit(await main(process.argv.slice(2)));
