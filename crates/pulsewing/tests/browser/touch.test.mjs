// The page under fingers, on a phone.

import assert from "node:assert/strict";
import { after } from "node:test";

import { browser, on, picture, reads } from "./stage.mjs";

after(() => browser.close());

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** Moves fingers over the screen, each through its points at the same time; without a pause, as fast as can be. */
async function fingers(page, paths) {
  const session = await page.context().newCDPSession(page);
  const send = (type, touchPoints) => session.send("Input.dispatchTouchEvent", { type, touchPoints });
  const steps = Math.max(...paths.map((path) => path.length));
  for (let step = 0; step < steps; step++) {
    const points = paths.map((path, id) => ({ id, x: path[step][0], y: path[step][1] }));
    await send(step === 0 ? "touchStart" : "touchMove", points);
  }
  await send("touchEnd", []);
  await session.detach();
}

/** The points on the way from one place to another. */
const way = ([x, y], [toX, toY]) =>
  [0, 0.2, 0.4, 0.6, 0.8, 1].map((part) => [x + (toX - x) * part, y + (toY - y) * part]);

/** Scrolls a graph into view, and returns how to name a place on it: shares of its width and height. */
async function places(page, id) {
  const field = page.locator(id);
  await field.scrollIntoViewIfNeeded();
  const box = await field.boundingBox();
  return (across, down = 0.5) => [box.x + box.width * across, box.y + box.height * down];
}

/** The hours from one time on a clock to another. */
const hours = (from, to) => {
  const [a, b] = [from, to].map((it) => Number(it.slice(0, 2)) + Number(it.slice(3)) / 60);
  return b - a;
};

on({}, "a tap names a minute, and it stays until a tap elsewhere", async (set, open) => {
  await set.updated();
  const page = await open("/", PHONE);
  const tip = page.locator("#hours-graph .tip");
  let at = await places(page, "#hours-graph");
  await page.touchscreen.tap(...at(0.9));
  await reads(tip, /^1\d:\d\d · \d+ bpm$/);
  const before = await tip.innerText();
  await picture(page, "tapped-390");
  // A newer graph keeps it too.
  await page.locator("#hours-graph").evaluate((it) => (it.isTheSame = true));
  await set.control("clock", { advance_s: 600 });
  await set.control("faults", [{ route: "google.rollup", count: 0, do: { status: 503 } }]);
  await fetch(`${set.url}/update`, { method: "POST" });
  await page.locator(".trouble").waitFor();
  assert.equal(await tip.innerText(), before);
  // What is wrong has moved it.
  at = await places(page, "#hours-graph");
  await page.touchscreen.tap(...at(0.5));
  await reads(tip, /^0\d:\d\d · /);
  const heading = await page.locator("#hours h2").boundingBox();
  await page.touchscreen.tap(heading.x + 5, heading.y + 5);
  await tip.waitFor({ state: "hidden" });
});

on({}, "a finger that is dragged chooses a part of a day, and two stretch it", async (set, open) => {
  await set.updated();
  const page = await open("/day/2026-11-22", PHONE);
  const part = () => new URL(page.url()).searchParams;
  let at = await places(page, "#day-graph");
  await fingers(page, [way(at(0.25), at(0.5))]);
  await page.waitForURL(/from=/);
  assert.match(part().get("from"), /^0[56]:/);
  assert.match(part().get("to"), /^1[12]:|^12:/);
  await reads(page.locator("#day .part"), /The whole day/);
  await picture(page, "part-390");
  // Pressed together from the edges to the middle: twice as much of the day.
  const before = hours(part().get("from"), part().get("to"));
  at = await places(page, "#day-graph");
  let old = page.url();
  await fingers(page, [way(at(0.1), at(0.3)), way(at(0.9), at(0.7))]);
  await page.waitForURL((url) => url.href !== old);
  assert.ok(Math.abs(hours(part().get("from"), part().get("to")) - 2 * before) < 1.5, page.url());
  // Stretched from the middle to the edges: half as much.
  at = await places(page, "#day-graph");
  const wide = hours(part().get("from"), part().get("to"));
  old = page.url();
  await fingers(page, [way(at(0.3), at(0.1)), way(at(0.7), at(0.9))]);
  await page.waitForURL((url) => url.href !== old);
  assert.ok(Math.abs(hours(part().get("from"), part().get("to")) - wide / 2) < 1.5, page.url());
  // And as far as the day goes, it is the whole day.
  at = await places(page, "#day-graph");
  await fingers(page, [way(at(0.02), at(0.45)), way(at(0.98), at(0.55))]);
  await page.waitForURL((url) => url.search === "");
});

on({}, "up and down the page scrolls, and nothing is chosen", async (set, open) => {
  await set.updated();
  const page = await open("/day/2026-11-22", PHONE);
  const at = await places(page, "#day-graph");
  const before = await page.evaluate(() => scrollY);
  await fingers(page, [way(at(0.5, 0.9), at(0.52, -0.5))]);
  await page.waitForFunction((before) => scrollY > before, before);
  assert.equal(new URL(page.url()).search, "");
});
