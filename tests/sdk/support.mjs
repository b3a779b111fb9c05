// Starts servers for the tests, and keeps their data between restarts.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const program = process.env.DOORCODE_BIN;

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** A development server with its own data. Limits that would stop a test are high. */
export class Doorcode {
  #child;
  #env;
  #program;
  data = mkdtempSync(join(tmpdir(), "doorcode-sdk."));

  /** `run` is the program: Doorcode, or an application that embeds it. */
  static async start(settings = {}, run = program) {
    const [port, ops] = [await freePort(), await freePort()];
    const server = new Doorcode();
    server.#program = run;
    server.url = `http://localhost:${port}`;
    server.#env = {
      PATH: process.env.PATH,
      ...(process.env.LLVM_PROFILE_FILE && { LLVM_PROFILE_FILE: process.env.LLVM_PROFILE_FILE }),
      DOORCODE_DATA: server.data,
      DOORCODE_LISTEN: `127.0.0.1:${port}`,
      DOORCODE_OPS_LISTEN: `127.0.0.1:${ops}`,
      DOORCODE_PUBLIC_URL: server.url,
      ...settings,
    };
    await server.start();
    return server;
  }

  async start() {
    const log = openSync(join(this.data, "log"), "a");
    // The kernel stops the server if this process is killed.
    this.#child = spawn("setpriv", ["--pdeathsig", "KILL", this.#program], {
      cwd: this.data,
      env: this.#env,
      stdio: ["ignore", log, log],
    });
    for (let tries = 0; tries < 200; tries += 1) {
      if (this.#child.exitCode !== null) throw new Error("doorcode does not start");
      const response = await fetch(`${this.url}/ready`).catch(() => null);
      if (response?.ok) return;
      await sleep(50);
    }
    throw new Error("doorcode is not ready after ten seconds");
  }

  async stop() {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }

  async remove() {
    await this.stop();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** Runs a command of the program with the settings of this server. */
  command(...words) {
    return execFileSync(this.#program, words, { cwd: this.data, env: this.#env, encoding: "utf8" });
  }
}

/** Something like `localStorage`. */
export class MemoryStorage {
  items = new Map();
  getItem = (key) => this.items.get(key) ?? null;
  setItem = (key, value) => void this.items.set(key, value);
  removeItem = (key) => void this.items.delete(key);
}

/** Serves requests with a handler, on a free port if none is given. */
export async function serve(handler, port = 0) {
  const server = createServer(handler).listen(port, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
