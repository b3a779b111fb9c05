// Builds `dist` and checks its size: node build.mjs. `dist` is not committed; `npm pack` builds it.

import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

// What an application downloads, minified and compressed, in bytes. React itself is not counted.
const LIMITS = { "index.js": 8000, "react/index.js": 5000, "server.js": 3000 };

process.chdir(fileURLToPath(new URL(".", import.meta.url)));
const run = (file, ...args) => execFileSync(process.execPath, [file, ...args], { stdio: "inherit" });
run("codegen.mjs", "--check");
rmSync("dist", { recursive: true, force: true });
run("node_modules/typescript/bin/tsc", "--project", ".");

for (const [entry, limit] of Object.entries(LIMITS)) {
  const { outputFiles } = await build({
    entryPoints: [`dist/${entry}`],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    external: ["react", "react/*"],
  });
  const size = gzipSync(outputFiles[0].contents).length;
  console.log(`${entry}: ${size} of ${limit} bytes, minified and compressed`);
  if (size >= limit) throw new Error(`${entry} is too large`);
}
