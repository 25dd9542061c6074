// What the page says in each state, and what comes with it: titles, icons, buttons, the focus.

import assert from "node:assert/strict";
import { after } from "node:test";

import { browser, on, picture, reads, violations } from "./stage.mjs";

after(() => browser.close());

/** The buttons that help, with links that look like one; those that silence alarms are apart. */
const buttons = (page) => page.locator("main button:not(#alarms *), main a.button").allInnerTexts();

const icon = (page) => page.locator("link[rel=icon]").getAttribute("href");

on({ signedIn: false }, "a page from before the first reading grows its graphs without a reload", async (set, open) => {
  const page = await open("/");
  await page.evaluate(() => (globalThis.isTheSame = true));
  await reads(page.locator("#trouble h2"), "Nobody has signed in yet.");
  assert.deepEqual(await buttons(page), ["Sign in"]);
  assert.equal(await page.title(), "Sign-in needed. No heart rate yet · Pulsewing");
  assert.match(await icon(page), /trouble=1/);
  assert.ok(!(await page.locator("main").innerText()).includes("Up to date"));
  assert.equal(await page.locator("#recent-graph").count(), 0);
  for (const [width, colorScheme] of [[390, "dark"], [1280, "light"]]) {
    const other = await open("/", { colorScheme, viewport: { width, height: 800 } });
    assert.deepEqual(await violations(other), []);
    await picture(other, `signed-out-${width}-${colorScheme}`);
  }
  await set.signIn();
  await fetch(`${set.url}/update`, { method: "POST" });
  for (const id of ["recent-graph", "hours-graph"]) await page.locator(`#${id} .beat`).first().waitFor();
  await reads(page.locator(".freshness"), "Up to date");
  assert.deepEqual(await buttons(page), ["Update now"]);
  assert.match(await icon(page), /bpm=\d+&zone=\w+$/);
  assert.match(await page.title(), /^\d+ bpm, \d+ min ago/);
  // They name their minutes as well.
  await page.locator("#hours-graph").hover({ position: { x: 200, y: 20 } });
  await reads(page.locator("#hours-graph .tip"), /^\d\d:\d\d · /);
  assert.ok(await page.evaluate(() => globalThis.isTheSame), "nothing was loaded anew");
});

on({}, "the focus stays where it is when something new arrives", async (set, open) => {
  await set.updated();
  const page = await open("/");
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim());
  await page.locator("#recent summary").focus();
  await page.keyboard.press("Enter");
  await page.locator("#recent").evaluate((it) => (it.isTheSame = true));
  await set.control("faults", [{ route: "google.rollup", count: 0, do: { status: 503, body: "html" } }]);
  await fetch(`${set.url}/update`, { method: "POST" });
  await page.waitForFunction(() => !document.getElementById("recent").isTheSame);
  assert.equal(await focused(), "As a table");
  assert.ok(await page.locator("#recent table").isVisible());
  await page.locator("#trouble").getByRole("button", { name: "Update now" }).focus();
  await page.locator("#trouble").evaluate((it) => (it.isTheSame = true));
  await set.control("faults", [{ route: "google.rollup", count: 0, do: { status: 429 } }]);
  await fetch(`${set.url}/update`, { method: "POST" });
  await page.waitForFunction(() => !document.getElementById("trouble").isTheSame);
  // The button is gone, because it would not help; the focus is not stolen by anything else.
  assert.deepEqual(await buttons(page), []);
  assert.equal(await page.title().then((it) => it.split(".")[0]), "Update failed");
});

on({ now: "2026-11-22T19:07:00Z" }, "a heart rate that is old says why, and offers one button", async (set, open) => {
  await set.updated();
  const page = await open("/");
  await reads(page.locator("#trouble h2"), "Not synced");
  assert.deepEqual(await buttons(page), ["Update now"]);
  assert.match(await icon(page), /bpm=\d+&age=5h$/);
  assert.match(await page.title(), /^5 h \d+ min ago: was \d+ bpm/);
  const grey = await page.evaluate(() => {
    const stroke = (name) => getComputedStyle(document.querySelector(name)).stroke;
    return [stroke("#recent .beat"), stroke("#hours .beat")];
  });
  assert.notEqual(grey[0], grey[1], "the old minutes have no colour, the past day has");
  for (const [width, colorScheme] of [[390, "dark"], [820, "light"], [1280, "dark"]]) {
    const other = await open("/", { colorScheme, viewport: { width, height: 800 } });
    assert.deepEqual(await violations(other), []);
    await picture(other, `stale-${width}-${colorScheme}`);
  }
});

on({}, "a phone can install it, and a tab has an icon of its own", async (set, open) => {
  await set.updated();
  const page = await open("/");
  // Not a word of it may be refused by the page's own policy.
  const manifest = await page.evaluate(async () => (await fetch(document.querySelector("link[rel=manifest]").href)).json());
  assert.equal(manifest.start_url, "/");
  for (const { src, sizes, type } of manifest.icons) {
    const size = await page.evaluate(async (src) => {
      const image = new Image();
      image.src = src;
      await image.decode();
      return `${image.naturalWidth}x${image.naturalHeight}`;
    }, src);
    if (type === "image/png") assert.equal(size, sizes);
  }
  const installable = await page.context().newCDPSession(page);
  const { errors } = await installable.send("Page.getAppManifest");
  assert.deepEqual(errors, []);
  assert.deepEqual(
    await page.locator("meta[name=theme-color]").evaluateAll((all) => all.map((it) => it.media)),
    ["(prefers-color-scheme: light)", "(prefers-color-scheme: dark)"],
  );
});

on({}, "dates are all in the reader's locale, or all in ISO", async (set, open) => {
  await set.updated();
  const dates = async (options) => {
    const page = await open("/day/2026-11-22", options);
    return page.locator("h1").innerText();
  };
  assert.equal(await dates({ locale: "de-DE" }), "Sonntag, 22. November 2026");
  assert.equal(await dates({ locale: "en-US" }), "Sunday, November 22, 2026");
  assert.equal(await dates({ javaScriptEnabled: false }), "2026-11-22");
});

on({ settings: "[alarms]\nhigh = 50\n" }, "an alarm is seen, heard once sound is allowed, and silenced", async (set, open) => {
  await set.updated();
  const page = await open("/");
  const alarm = page.locator("#alarms .alarm");
  await reads(alarm.locator("h2"), "Heart rate high");
  await reads(alarm.locator("p"), /^\d+ bpm at \d\d:\d\d, above 50 since \d\d:\d\d\. \d+ min ago$/);
  assert.match(await page.title(), /^Heart rate high\. \d+ bpm/);
  // Nothing is heard before somebody allows it.
  await reads(page.locator("#sound span"), "Sound is off.");
  assert.equal(await page.locator("#sound").getAttribute("data-played"), null);
  await page.getByRole("button", { name: "Press to allow" }).click();
  await reads(page.locator("#sound span"), "Sound is on.");
  const told = await alarm.getAttribute("data-told");
  await page.waitForFunction((told) => document.getElementById("sound").dataset.played === told, told);
  for (const [width, colorScheme] of [[390, "dark"], [1280, "light"]]) {
    const other = await open("/", { colorScheme, viewport: { width, height: 800 } });
    assert.deepEqual(await violations(other), []);
    await picture(other, `alarm-${width}-${colorScheme}`);
  }
  // Another page sees that it is silenced, without a reload.
  const other = await open("/");
  await page.getByRole("button", { name: "30 min" }).click();
  await reads(other.locator("#alarms .silenced"), /^Heart rate high: no signals until 15:3\d\./);
  await other.reload();
  await reads(other.locator("#alarms .silenced"), /^Heart rate high: no signals until/);
  assert.equal(await other.locator("#alarms .alarm").count(), 0);
});
