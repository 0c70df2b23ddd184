/** A small JSR: what `deno publish` sends to it, `deno add` gets from it. @module */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { readTar } from "./read_tar.ts";

interface Version {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly exports: unknown;
}

/** A registry on loopback. */
export interface JsrServer {
  /** For the variable `JSR_URL`. */
  readonly url: string;
  /** The paths of what was published last, sorted. */
  readonly files: readonly string[];
  close(): Promise<void>;
}

/**
 * Starts a registry that has nothing yet.
 *
 * @returns The registry. It knows as much of JSR's protocol as Deno asks for, and no accounts.
 */
export async function startJsr(): Promise<JsrServer> {
  const versions = new Map<string, Version>();
  const server = createServer((request, response) => {
    answer(request, versions).then(
      (body) => {
        response.writeHead(body === undefined ? 404 : 200, {
          "content-type": body instanceof Uint8Array ? "text/plain" : "application/json",
        });
        const missing = { code: "notFound", message: "There is no such thing" };
        response.end(body instanceof Uint8Array ? body : JSON.stringify(body ?? missing));
      },
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    get files() {
      return [...[...versions.values()].at(-1)?.files.keys() ?? []].sort();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, versions: Map<string, Version>): Promise<unknown> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://jsr.invalid");
  const api = /^\/api\/scopes\/([^/]+)\/packages\/([^/]+)(?:\/versions\/([^/]+))?$/.exec(pathname);
  if (api !== null) {
    const [, scope, name, version] = api;
    if (request.method === "POST" && version !== undefined) {
      const files = readTar(gunzipSync(await read(request)));
      const config = files.get(searchParams.get("config") ?? "/deno.json");
      const { exports } = JSON.parse(new TextDecoder().decode(config)) as { exports: unknown };
      versions.set(`@${scope}/${name}/${version}`, { files, exports });
      return { id: "1", status: "success", error: null };
    }
    return version === undefined ? { scope, name, description: "" } : undefined;
  }
  const file = /^\/(@[^/]+\/[^/]+)\/(?:meta\.json|([^/]+)_meta\.json|([^/]+)(\/.+))$/.exec(
    pathname,
  );
  if (file === null) return undefined;
  const [, name = "", metaVersion, version, path = ""] = file;
  if (version !== undefined) return versions.get(`${name}/${version}`)?.files.get(path);
  if (metaVersion !== undefined) return metaOf(versions.get(`${name}/${metaVersion}`));
  const [scope, bare] = name.slice(1).split("/");
  const known = [...versions.keys()].filter((key) => key.startsWith(`${name}/`))
    .map((key) => key.slice(name.length + 1));
  // Without "createdAt": Deno refuses what is younger than a day.
  return {
    scope,
    name: bare,
    latest: known.at(-1),
    versions: Object.fromEntries(known.map((v) => [v, {}])),
  };
}

function metaOf(version: Version | undefined): unknown {
  if (version === undefined) return undefined;
  const manifest = Object.fromEntries(
    [...version.files].map(([path, bytes]) => {
      const checksum = `sha256-${createHash("sha256").update(bytes).digest("hex")}`;
      return [path, { size: bytes.length, checksum }];
    }),
  );
  return { manifest, exports: version.exports };
}

async function read(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of request) parts.push(part as Uint8Array);
  return Buffer.concat(parts);
}
