// The page of several wearers in a real browser.

import assert from "node:assert/strict";
import { after } from "node:test";

import { browser, nameOf, on, picture, reads, violations } from "./stage.mjs";

after(() => browser.close());

const wearers = ["anna", "ben", "carla"];

/** The names on the cards, in order. */
const names = (page) => page.locator(".family .card h2").allInnerTexts();

const card = (page, id) => page.locator(".family .card", { hasText: nameOf(id) });

/** Makes the requests of one account fail. */
const failing = (set, user, action) =>
  set.control("faults", [{ route: "google.rollup", user, count: 0, do: action }]);

const update = (set, id) => fetch(`${set.url}/w/${id}/update`, { method: "POST", redirect: "manual" });

async function allUpdated(set) {
  for (const id of wearers) {
    for (;;) {
      const now = await (await fetch(`${set.url}/api/v1/wearers/${id}/now`)).json();
      if (now.last_success !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

on({ wearers }, "a family's cards are in order, and the worst news comes first as it arrives", async (set, open) => {
  await allUpdated(set);
  const page = await open("/");
  await page.evaluate(() => (globalThis.isTheSame = true));
  assert.deepEqual(await names(page), wearers.map(nameOf));
  assert.equal(await page.title(), "3 wearers · Pulsewing");
  await failing(set, 3, { status: 503, body: "html" });
  await update(set, "carla");
  await reads(page.locator(".family .card").first(), /^Carla .*(?=[^]*Google Health)/);
  assert.deepEqual(await names(page), ["carla", "anna", "ben"].map(nameOf));
  assert.match(await page.title(), /^1 of 3 wearers/);
  await picture(page, "family");
  await set.control("faults", []);
  await update(set, "carla");
  await reads(page.locator(".family .card").first(), /^Anna /);
  assert.deepEqual(await names(page), wearers.map(nameOf));
  assert.equal(await page.title(), "3 wearers · Pulsewing");
  assert.ok(await page.evaluate(() => globalThis.isTheSame), "nothing was loaded anew");
});

on({ wearers }, "somebody who is added or removed comes and goes without a reload", async (set, open) => {
  await allUpdated(set);
  const page = await open("/");
  const done = (program) => new Promise((resolve) => program.child.on("exit", resolve));
  await done(set.program(["wearer", "add", "dora", "--name", nameOf("dora")]));
  await reads(page.locator(".family .card").first(), /^Dora [^]*No heart rate yet/);
  await card(page, "dora").getByRole("link").click();
  await reads(page.locator("#trouble"), /signed in/);
  await page.getByRole("link", { name: "Sign in", exact: true }).click();
  assert.equal(new URL(page.url()).pathname, "/w/dora/sign-in");
  const family = await open("/");
  await done(set.program(["wearer", "remove", "dora"]));
  await card(family, "dora").waitFor({ state: "detached" });
  assert.deepEqual(await names(family), wearers.map(nameOf));
});

on({ wearers }, "links, titles and updates stay with the wearer", async (set, open) => {
  await allUpdated(set);
  const page = await open("/");
  await card(page, "ben").click();
  await page.waitForURL(`${set.url}/w/ben/`);
  await reads(page.locator("header .wearer"), nameOf("ben"));
  assert.ok((await page.title()).startsWith(`${nameOf("ben")}: `), await page.title());
  for (const name of ["Day", "Week", "Month", "Now"]) {
    await page.getByRole("navigation").getByRole("link", { name, exact: true }).click();
    await page.locator(`nav [aria-current]`, { hasText: name }).waitFor();
    assert.match(new URL(page.url()).pathname, /^\/w\/ben\//);
    await reads(page.locator("header .wearer"), nameOf("ben"));
  }
  await page.getByRole("button", { name: "Update now" }).click();
  await page.waitForURL(`${set.url}/w/ben/`);
  for (const link of await page.locator("main a, footer a").evaluateAll((all) => all.map((it) => it.getAttribute("href")))) {
    assert.match(link, /^(\/w\/ben\/|\/api\/v1\/wearers\/ben\/|\/metrics$)/);
  }
  await page.getByRole("navigation").getByRole("link", { name: "All" }).click();
  assert.equal((await names(page)).length, 3);
});

on({ wearers }, "the keyboard reaches every card, in the order of the eyes", async (set, open) => {
  await allUpdated(set);
  const page = await open("/");
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "To the content");
  await page.keyboard.press("Tab");
  for (const id of wearers) {
    await page.keyboard.press("Tab");
    assert.equal(await focused(), nameOf(id));
  }
  await page.keyboard.press("Enter");
  await page.waitForURL(`${set.url}/w/carla/`);
});

on({ wearers }, "a card grows older without a connection", async (set, open) => {
  await allUpdated(set);
  const page = await open("/");
  const first = page.locator(".family .card").first();
  assert.equal(await first.getAttribute("data-look"), "fresh");
  assert.ok(await first.locator(".was").isHidden());
  await set.daemon.stop();
  await page.locator("#lost").waitFor();
  // The page's clock, an hour on.
  await page.evaluate(() => {
    const now = Date.now;
    Date.now = () => now() + 3_600_000;
    globalThis.count();
  });
  assert.equal(await first.getAttribute("data-look"), "old");
  assert.ok(await first.locator(".was").isVisible());
  const order = await first.evaluate((it) => [...it.children].map((child) => child.className));
  assert.ok(order.indexOf("age") < order.indexOf("rate"), order.join());
  assert.equal(await page.title(), "3 wearers · Pulsewing");
  // The events cannot be reached any more, and the browser says so.
  page.complaints = page.complaints.filter((it) => !it.includes("ERR_CONNECTION") && !it.includes("ERR_INCOMPLETE"));
});

on({ wearers }, "a family fits a phone and a desk, and axe finds nothing serious", async (set, open) => {
  await allUpdated(set);
  await failing(set, 2, { status: 429 });
  await update(set, "ben");
  for (const colorScheme of ["light", "dark"]) {
    for (const [width, height] of [[320, 640], [390, 844], [820, 1100], [1280, 800]]) {
      const page = await open("/", { colorScheme, viewport: { width, height } });
      await reads(page.locator(".family .card").first(), /^Ben /);
      if (width > 320) assert.deepEqual(await violations(page), [], `${width}, ${colorScheme}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width}`);
      await picture(page, `family-${width}-${colorScheme}`);
      await page.goto(`${set.url}/w/ben/`);
      if (width === 390) assert.deepEqual(await violations(page), [], `ben, ${width}, ${colorScheme}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `ben, ${width}`);
    }
  }
});
