// Chromium and a page with the components, for the browser tests.

import { build } from "esbuild";
import { chromium } from "playwright-core";
import { serve } from "./support.mjs";

const SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"];

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: SWITCHES });

const PAGE = 'import "./page/main.jsx";';

/** Serves the page, or another script, under a strict content security policy. */
export async function servePage(doorcode, clientId = "", port = 0, contents = PAGE) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: "esm",
    jsx: "automatic",
    // React reports mistakes, such as elements in wrong places, in development.
    define: { "process.env.NODE_ENV": '"development"' },
    logLevel: "error",
  });
  const html = `<!doctype html><html lang="en"><title>Test</title><main id="root" data-server="${doorcode}" data-client="${clientId}"></main>
<script type="module" src="/main.js"></script>`;
  const policy = `default-src 'none'; script-src 'self'; connect-src ${doorcode}; base-uri 'none'; require-trusted-types-for 'script'`;
  const page = await serve((request, response) => {
    const isScript = request.url === "/main.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.setHeader("content-security-policy", policy);
    response.end(isScript ? outputFiles[0].contents : html);
  }, port);
  return { ...page, url: page.url.replace("127.0.0.1", "localhost") };
}

/** Makes problems of a page fail the test: exceptions, errors on the console, violations of the policy. */
export function watch(context, allowed = /Failed to load resource/) {
  const wrong = [];
  context.on("weberror", (error) => wrong.push(String(error.error())));
  context.on("console", (message) => {
    if (message.type() === "error" && !allowed.test(message.text())) wrong.push(message.text());
  });
  return wrong;
}
