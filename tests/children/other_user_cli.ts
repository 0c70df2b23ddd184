/** Runs a command as a user who may not open the socket. */
import process from "node:process";
// Commands are loaded when they are called for, and by then their files may be out of reach.
import "../../cli/doctor.ts";
import "../../cli/doctor.ts";
import { main } from "../../cli/main.ts";
import "../../cli/tail.ts";
import "../../cli/tail.ts";

const NOBODY = 65_534;

process.setegid!(NOBODY);
process.seteuid!(NOBODY); // everything is loaded; only the socket is opened as somebody else
process.exit(await main(process.argv.slice(2)));
