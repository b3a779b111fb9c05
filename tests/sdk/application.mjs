// Builds an application of examples/ and serves its files.

import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { serve } from "./support.mjs";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

export const folder = (name) => new URL(`../../examples/${name}/`, import.meta.url).pathname;

/** Builds an application that uses `server`. The files are in the data folder of the server. */
export async function serveApplication(name, server) {
  const out = join(server.data, "site");
  execFileSync(process.execPath, ["node_modules/vite/bin/vite.js", "build", "--outDir", out, "--logLevel", "error"], {
    cwd: folder(name),
    env: { ...process.env, VITE_DOORCODE_URL: server.url },
  });
  const site = await serve(async (request, response) => {
    const path = request.url === "/" ? "/index.html" : request.url;
    response.setHeader("content-type", TYPES[extname(path)] ?? "text/plain");
    response.end(await readFile(join(out, path)));
  });
  return { ...site, url: site.url.replace("127.0.0.1", "localhost") };
}
