// Takes the pictures of the page in docs: the sandbox's wearer, after a fortnight.

import { join } from "node:path";
import { argv } from "node:process";

import { browser, Stage } from "./stage.mjs";

const place = argv[2];
// What is usual is of the days before; they come at once if many requests are allowed.
const settings = '[history]\nkeep = "14 days"\n[poll]\nhourly_cap = 100\n';
const stage = await Stage.begin({ settings });
await stage.daemon.line("stderr", "fetched a past day date=2026-11-09");

const options = { locale: "en-GB", timezoneId: "Europe/Berlin" };
const shots = [
  ["page.png", { viewport: { width: 1100, height: 800 } }],
  ["page-phone.png", { viewport: { width: 390, height: 844 }, hasTouch: true, colorScheme: "dark" }],
];
for (const [name, more] of shots) {
  const page = await stage.open("/", { ...options, ...more });
  await page.locator(".activity").waitFor({ state: "detached" });
  await page.screenshot({ path: join(place, name), fullPage: true });
  await page.context().close();
}
await stage.end();
await browser.close();
