/** Imports follow the arrows of ARCHITECTURE.md, and files stay small. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = resolve(fileURLToPath(new URL("..", import.meta.url)));

/** The rooms, longest path first, so that a file belongs to the first one that fits. */
const rooms = [
  "lib/alert",
  "lib/transport",
  "lib/client",
  "lib/condition",
  "lib/streams",
  "lib/sources",
  "lib/sinks",
  "lib/server",
  "lib/yaml",
  "gen",
  "harness",
  "gateway",
  "cli",
  "bench",
  "tests",
  "proto",
];

/** What each room may import besides itself, lib/errors.ts and lib/clock.ts. */
const arrows: Record<string, readonly string[]> = {
  "gen": [],
  "lib/alert": ["gen"],
  "lib/condition": ["lib/alert"],
  "lib/streams": ["lib/alert", "lib/condition"],
  "lib/transport": ["lib/alert", "gen"],
  "lib/client": ["gen", "lib/alert", "lib/streams", "lib/transport"],
  // Certificates are read the same way everywhere.
  "lib/sources": ["lib/alert", "lib/client", "lib/streams", "lib/transport"],
  "lib/sinks": ["lib/alert", "lib/streams", "lib/transport"],
  // The framing of gRPC messages is the same on both sides.
  "lib/server": ["gen", "lib/alert", "lib/transport"],
  // No room of the library may read YAML: whoever merely subscribes must not load the parser.
  "lib/yaml": ["lib/alert"],
  "harness": ["gen", "lib/*"],
  "gateway": ["lib/*"],
  "cli": ["gen", "lib/*", "harness", "gateway"],
};

const nodeRooms = [
  "lib/transport",
  "lib/server",
  "lib/sources",
  "lib/sinks",
  "harness",
  "gateway",
  "cli",
];
const yamlRooms = ["lib/yaml", "harness", "gateway", "cli"];
const shared = ["lib/errors.ts", "lib/clock.ts"];

interface Import {
  readonly from: string;
  readonly specifier: string;
  /** The imported file, if it is one of the project. */
  readonly file: string | undefined;
  /** Loaded when the code gets there, not with the file. */
  readonly isDynamic: boolean;
}

function* sourceFiles(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sourceFiles(path);
    else if (entry.name.endsWith(".ts")) yield path;
  }
}

/** All files of some folders, by their paths from the root. */
function filesOf(...folders: readonly string[]): string[] {
  return folders
    .map((folder) => join(root, folder))
    .filter((folder) => statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    .flatMap((folder) => [...sourceFiles(folder)])
    .map((path) => relative(root, path).split(sep).join("/"));
}

const checkedRooms = Object.keys(arrows);
const files = filesOf("lib", "gen", "harness", "gateway", "cli");

function roomOf(file: string): string | undefined {
  return rooms.find((room) => file.startsWith(`${room}/`));
}

function importsOf(file: string): Import[] {
  // Examples in comments import the package by its name; only real imports count.
  const text = readFileSync(join(root, file), "utf8").replace(/\/\*[^]*?\*\//g, "");
  const found: Import[] = [];
  const pattern =
    /^\s*(?:import|export)\s[^"';]*?from\s+"([^"]+)"|import\(\s*"([^"]+)"|^import\s+"([^"]+)"/gm;
  for (const match of text.matchAll(pattern)) {
    const specifier = (match[1] ?? match[2] ?? match[3])!;
    const path = specifier.startsWith(".")
      ? relative(root, resolve(root, dirname(file), specifier)).split(sep).join("/")
      : undefined;
    found.push({ from: file, specifier, file: path, isDynamic: match[2] !== undefined });
  }
  return found;
}

const imports = files.flatMap(importsOf);

function violations(isWrong: (one: Import, room: string) => boolean): string[] {
  return imports
    .filter((one) => isWrong(one, roomOf(one.from) ?? "lib"))
    .map((one) => `${one.from} imports ${one.specifier}`);
}

describe("architecture", () => {
  it("has imports to look at", () => {
    assert(imports.length > 100);
    const withFiles = new Set(files.map(roomOf));
    assert.deepEqual(checkedRooms.filter((room) => !withFiles.has(room)), []);
  });

  it("lets rooms import along the arrows only", () => {
    assert.deepEqual(
      violations(({ file }, room) => {
        if (file === undefined || shared.includes(file)) return false;
        const target = roomOf(file);
        if (target === room) return false;
        const allowed = arrows[room] ?? [];
        return !allowed.some((to) => to === target || to === "lib/*" && file.startsWith("lib/"));
      }),
      [],
    );
  });

  it("keeps lib/errors.ts and lib/clock.ts free of imports from rooms", () => {
    const own = imports.filter((one) => shared.includes(one.from));
    assert(own.every((one) => one.file !== undefined && shared.includes(one.file)));
  });

  it("keeps node: modules out of the rooms that run in a browser", () => {
    assert.deepEqual(
      violations(({ specifier }, room) =>
        specifier.startsWith("node:") && !nodeRooms.includes(room)
      ),
      [],
    );
  });

  it("keeps the wire form of alerts out of streams", () => {
    assert.deepEqual(
      violations(({ file }, room) =>
        room === "lib/streams" && file !== undefined && /lib\/alert\/wire/.test(file)
      ),
      [],
    );
  });

  it("reads YAML in harness, gateway and cli only, through lib/yaml", () => {
    assert.deepEqual(
      violations(({ specifier, file }, room) =>
        (specifier === "yaml" || file?.startsWith("lib/yaml/") === true) &&
        !yamlRooms.includes(room)
      ),
      [],
    );
  });

  it("loads connect only where a call needs it, as it takes longer than all the rest", () => {
    const isStock = (file: string): boolean => file.startsWith("lib/transport/stock_");
    assert.deepEqual(
      violations(({ from, specifier, file = "", isDynamic }) =>
        !isStock(from) && (specifier.startsWith("@connectrpc/") || isStock(file)) && !isDynamic
      ),
      [],
    );
  });

  it("loads a command when it is called for", () => {
    const all = imports.filter(({ from, isDynamic }) => from === "cli/main.ts" && isDynamic);
    const commands = all.map(({ file = "" }) => file);
    assert(commands.length >= 8);
    assert.deepEqual(
      violations(({ from, file = "", isDynamic }) =>
        from === "cli/main.ts" && commands.includes(file) && !isDynamic
      ),
      [],
    );
  });

  it("gives alert no package but protobuf", () => {
    assert.deepEqual(
      violations(({ specifier, file }, room) =>
        room === "lib/alert" && file === undefined && !specifier.startsWith("@bufbuild/protobuf")
      ),
      [],
    );
  });

  it("imports packages by their bare names", () => {
    assert.deepEqual(violations(({ specifier }) => /^(npm|jsr|https?):/.test(specifier)), []);
  });

  it("lets no file that is written by hand have more than 400 lines", () => {
    const around = ["tests", "bench", "examples", "proto"].map((folder) => filesOf(folder));
    assert(around.every((found) => found.length > 0));
    const long = [...files, ...around.flat()]
      .filter((file) => !file.startsWith("gen/"))
      .filter((file) => readFileSync(join(root, file), "utf8").trimEnd().split("\n").length > 400);
    assert.deepEqual(long, []);
  });

  it("only re-exports from mod.ts", () => {
    const text = readFileSync(join(root, "mod.ts"), "utf8").replace(/\/\*[^]*?\*\//g, "");
    const statements = text.split(";").map((one) => one.trim()).filter((one) => one !== "");
    assert(statements.every((one) => /^export (type )?\{[^}]*\} from "\.\/lib\//.test(one)));
  });
});
