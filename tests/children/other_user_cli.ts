/** Runs a command as a user who may not open the socket. */
import process from "node:process";
import { main } from "../../cli/main.ts";

const NOBODY = 65_534;
const args = process.argv.slice(2);

// A command is loaded when it is called for, and its files may be out of reach by then. Importing it
// here would not do: Node looks for the file again when another module imports it.
await main([args[0]!, "--no-such-option"]);
process.setegid!(NOBODY);
process.seteuid!(NOBODY); // everything is loaded; only the socket is opened as somebody else
process.exit(await main(args));
