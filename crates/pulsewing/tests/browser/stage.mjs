// The real program, the real sandbox and a real browser, in a home of their own.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";

const packages = process.env.PULSEWING_BROWSER_PACKAGES;
const require = createRequire(join(packages, "packages.cjs"));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const PROGRAM = process.env.PULSEWING_PROGRAM;
const NOW = "2026-11-22T14:07:00Z";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The name of a wearer, as somebody might have chosen it. */
export const nameOf = (id) => `${id.at(0).toUpperCase()}${id.slice(1)} <b>& Söhne</b>`;

/** A browser for all tests. */
export const browser = await chromium.launch({
  executablePath: process.env.PULSEWING_CHROMIUM,
  args: FLAGS,
});

/** A program that talks in lines. */
class Program {
  constructor(args, home) {
    const env = {
      HOME: home,
      XDG_CONFIG_HOME: home,
      XDG_STATE_HOME: home,
      TMPDIR: home,
      TZ: "UTC",
      PATH: "/nowhere",
    };
    this.child = spawn(PROGRAM, args, { env, cwd: home, stdio: "pipe" });
    this.said = "";
    this.lines = { stdout: [], stderr: [] };
    this.waiting = [];
    for (const name of ["stdout", "stderr"]) {
      createInterface({ input: this.child[name] }).on("line", (line) => {
        this.said += `${line}\n`;
        this.lines[name].push(line);
        this.waiting = this.waiting.filter((it) => !it());
      });
    }
  }

  /** The next line with these words, on either output. */
  line(name, words) {
    return new Promise((resolve, reject) => {
      const fail = () => reject(new Error(`no "${words}" in\n${this.said}`));
      const end = globalThis.setTimeout(fail, 60_000);
      const look = () => {
        const at = this.lines[name].findIndex((line) => line.includes(words));
        if (at < 0) return false;
        clearTimeout(end);
        resolve(this.lines[name].splice(0, at + 1).at(-1));
        return true;
      };
      if (!look()) this.waiting.push(look);
    });
  }

  async stop() {
    if (this.child.exitCode !== null) return;
    const ended = once(this.child, "exit");
    this.child.kill("SIGTERM");
    await ended;
  }
}

/** A sandbox, a daemon with its page, and what the browser saw. */
export class Stage {
  /** With `wearers`, ids, there are several, each signed in with an account of their own in that order. */
  static async begin({ signedIn = true, settings = "", now = NOW, wearers = [] } = {}) {
    const stage = new Stage();
    // The program's own clock; the cloud's is always NOW.
    stage.time = now;
    stage.home = mkdtempSync(join(tmpdir(), "pulsewing-browser-"));
    stage.sandbox = new Program(
      [
        ...["sandbox", "--listen", "127.0.0.1:0", "--zone", "Europe/Berlin", "--now", NOW],
        ...["--wearers", String(Math.max(1, wearers.length))],
      ],
      stage.home,
    );
    stage.ready = JSON.parse(await stage.sandbox.line("stdout", "{"));
    const { google } = stage.ready;
    stage.config = join(stage.home, "config.toml");
    writeFileSync(
      stage.config,
      `provider = "google"\n[google]\nclient_id = "${google.client_id}"\nclient_secret = "${google.client_secret}"\n` +
        `[endpoints]\nbase_url = "${stage.ready.url}"\n${settings}`,
      { mode: 0o600 },
    );
    for (const id of wearers) {
      const add = stage.program(["wearer", "add", id, "--name", nameOf(id)]);
      await once(add.child, "exit");
      if (signedIn) await stage.signIn(["--wearer", id], wearers.indexOf(id) + 1);
    }
    if (signedIn && wearers.length === 0) await stage.signIn();
    await stage.run();
    return stage;
  }

  program(args) {
    return new Program(["--config", this.config, "--now", this.time, ...args], this.home);
  }

  async signIn(options = [], user = 1) {
    const login = this.program(["login", "--paste", ...options]);
    const url = await login.line("stdout", "http");
    const consent = await fetch(`${url}&auto=1&user=${user}`, { redirect: "manual" });
    login.child.stdin.end(`${consent.headers.get("location")}\n`);
    await once(login.child, "exit");
  }

  async run(listen = "127.0.0.1:0") {
    this.daemon = this.program(["run", "--listen", listen]);
    const line = await this.daemon.line("stderr", "listening page=");
    this.url = line.split("page=")[1].replace(/\/$/, "");
  }

  /** Waits for the end of an update, of one of several wearers if there are some. */
  async updated(id) {
    for (;;) {
      const line = await this.daemon.line("stderr", "INFO updated");
      if (id === undefined || line.includes(`wearer=${id}`)) return;
    }
  }

  async control(call, body) {
    const reply = await fetch(`${this.ready.url}/_sandbox/${call}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    if (!reply.ok) throw new Error(await reply.text());
  }

  /** What the API says now. */
  async now() {
    return (await fetch(`${this.url}/api/v1/now`)).json();
  }

  /** Opens a page of its own window; what it complains of and whom it asks is watched. */
  async open(path, options = {}) {
    const context = await browser.newContext({
      viewport: { width: 1200, height: 800 },
      colorScheme: "light",
      reducedMotion: "reduce",
      timezoneId: "America/New_York",
      ...options,
    });
    const page = await context.newPage();
    page.complaints = [];
    page.foreign = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) page.complaints.push(message.text());
    });
    page.on("pageerror", (error) => page.complaints.push(error.message));
    page.on("request", (request) => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== this.url && protocol !== "data:") page.foreign.push(request.url());
    });
    await page.goto(this.url + path);
    return page;
  }

  async end() {
    await this.daemon?.stop();
    await this.sandbox.stop();
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** A test with a stage of its own; at its end no page may have complained or asked anybody else. */
export function on(stage, name, act) {
  test(name, async () => {
    const set = await Stage.begin(stage);
    const pages = [];
    const open = async (path, options) => {
      const page = await set.open(path, options);
      pages.push(page);
      return page;
    };
    try {
      await act(set, open);
      for (const page of pages) {
        assert.deepEqual(page.complaints, []);
        assert.deepEqual(page.foreign, []);
      }
    } finally {
      for (const page of pages) await page.context().close();
      await set.end();
    }
  });
}

/** Waits until an element says this; a click returns before the page that it asks for is there. */
export async function reads(locator, what) {
  const end = Date.now() + 20_000;
  for (;;) {
    // An element that goes with its page while it is read is read again on the next one.
    const said = await locator.innerText({ timeout: 1_000 }).catch((error) => error);
    if (what instanceof RegExp ? what.test(said) : said === what) return;
    if (Date.now() > end) throw new Error(`${locator.page().url()} says "${said}", not "${what}"`);
    await setTimeout(20);
  }
}

/** The serious and critical violations that axe finds on a page. */
export async function violations(page) {
  // A page's policy forbids scripts from elsewhere; a debugger's evaluation is not one.
  await page.evaluate(AXE);
  const found = await page.evaluate(() => globalThis.axe.run());
  return found.violations
    .filter((it) => ["serious", "critical"].includes(it.impact))
    .map((it) => `${it.id}: ${it.help}\n${it.nodes.map((node) => `  ${node.html}`).join("\n")}`);
}

/** Keeps a picture for whoever wants to look. */
export async function picture(page, name) {
  await page.screenshot({ path: join(packages, "pictures", `${name}.png`), fullPage: true });
}
