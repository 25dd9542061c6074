// The page in a real browser.

import assert from "node:assert/strict";
import { after } from "node:test";

import { browser, on, picture, reads, violations } from "./stage.mjs";

after(() => browser.close());

const bpm = (page) => page.locator("#now .bpm").innerText();

/** How the heart rate looks: what comes first, and whether its zone has lost its colour. */
const looks = (page) =>
  page.evaluate(() => {
    const part = document.getElementById("now");
    const colour = (name) => getComputedStyle(part.querySelector(name)).color;
    return {
      look: part.dataset.look,
      first: part.firstElementChild.tagName,
      isQuiet: colour(".zone") === colour(".unit"),
    };
  });

on({}, "a live update arrives without a reload", async (set, open) => {
  await set.updated();
  const page = await open("/");
  await page.evaluate(() => (globalThis.isTheSame = true));
  const before = await set.now();
  assert.equal(await bpm(page), String(before.reading.latest.bpm));
  await set.control("faults", [
    { route: "google.rollup", count: 0, do: { status: 503, body: "html" } },
  ]);
  await page.getByRole("button", { name: "Update now" }).click();
  await page.locator(".trouble").waitFor();
  await reads(page.locator(".freshness"), /From memory/);
  assert.equal(await bpm(page), String(before.reading.latest.bpm), "what was shown stays");
  await picture(page, "trouble");
  // The button loaded the page anew; from here on nothing does.
  await page.evaluate(() => (globalThis.isTheSame = true));
  await set.control("faults", []);
  await fetch(`${set.url}/update`, { method: "POST" });
  await page.locator(".trouble").waitFor({ state: "detached" });
  await reads(page.locator(".freshness"), /Up to date/);
  assert.ok(await page.evaluate(() => globalThis.isTheSame));
});

on({}, "the pointer and the keyboard name the minute", async (set, open) => {
  await set.updated();
  const { reading } = await set.now();
  const page = await open("/");
  const field = page.locator("#recent-graph");
  const tip = field.locator(".tip");
  const box = await field.boundingBox();
  await page.mouse.move(box.x + box.width - 4, box.y + box.height / 2);
  const last = reading.window.at(-1);
  await reads(tip, `${last.time} · ${last.bpm} bpm`);
  await page.mouse.move(box.x + 4, box.y + box.height / 2);
  const first = reading.window[0];
  await reads(tip, `${first.time} · ${first.bpm} bpm`);
  await page.mouse.move(0, 0);
  await tip.waitFor({ state: "hidden" });
  await field.focus();
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowLeft");
  const before = reading.window.at(-2);
  await reads(tip, `${before.time} · ${before.bpm} bpm`);
  await page.keyboard.press("Home");
  await reads(tip, `${first.time} · ${first.bpm} bpm`);
  await page.keyboard.press("Escape");
  await tip.waitFor({ state: "hidden" });
});

on({ now: "2026-11-22T14:20:00Z" }, "a minute that is looked at stays so when newer ones arrive", async (set, open) => {
  await set.updated();
  const page = await open("/day/2026-11-22");
  const field = page.locator("#day-graph");
  const tip = field.locator(".tip");
  const box = await field.boundingBox();
  await page.mouse.move(box.x + box.width / 4, box.y + 40);
  await reads(tip, /^0\d:\d\d · /);
  const before = await tip.innerText();
  await field.evaluate((it) => (it.isTheSame = true));
  await set.control("clock", { advance_s: 600 });
  await fetch(`${set.url}/update`, { method: "POST" });
  await page.waitForFunction(() => !document.getElementById("day-graph").isTheSame);
  await reads(tip, before);
  assert.ok(await field.locator(".cursor").isVisible());
});

on({}, "dates navigate, and a part of a day can be looked at closely", async (set, open) => {
  await set.updated();
  await set.daemon.line("stderr", "fetched a past day date=2026-11-19");
  const page = await open("/");
  const headed = (text) => reads(page.getByRole("heading", { level: 1 }), text);
  await page.getByRole("navigation").getByRole("link", { name: "Day" }).click();
  await headed("Sunday, November 22, 2026");
  await page.locator("a[rel=prev]").click();
  await headed("Saturday, November 21, 2026");
  await page.getByLabel("Another day").fill("2026-11-20");
  await page.getByRole("button", { name: "Go" }).click();
  await headed("Friday, November 20, 2026");
  await page.locator("a[rel=next]").click();
  await headed("Saturday, November 21, 2026");
  await page.waitForLoadState();
  // Dragged from six to twelve o'clock.
  const box = await page.locator("#day-graph").boundingBox();
  const at = (hour) => [box.x + (box.width * (hour + 0.01)) / 24, box.y + 40];
  await page.mouse.move(...at(6));
  await page.mouse.down();
  await page.mouse.move(...at(9));
  await page.mouse.move(...at(12));
  await page.mouse.up();
  await page.waitForURL(/from=06%3A0\d&to=12%3A0\d/);
  await page.mouse.move(box.x + 4, box.y + 40);
  await reads(page.locator("#day-graph .tip"), /^06:0\d · /);
  await page.getByRole("link", { name: "The whole day" }).click();
  await page.getByRole("link", { name: "night" }).click();
  await reads(page.locator(".part"), /00:00 to 06:00/);
  await page.getByRole("navigation").getByRole("link", { name: "Week" }).click();
  await headed("Week of Nov 16, 2026");
  await page.locator(".bars a").first().click();
  await headed(/^\w+day, November \d+, 2026$/);
  await page.getByRole("navigation").getByRole("link", { name: "Month" }).click();
  await headed("November 2026");
  // Monday first, and each day leads to its page.
  assert.equal(await page.locator(".calendar th").first().innerText(), "Mon");
  await page.getByRole("link", { name: /^21\s*: \d+ to \d+ bpm/ }).click();
  await headed("Saturday, November 21, 2026");
  // The keyboard looks closer too, and stays on the graph.
  const field = page.locator("#day-graph");
  await field.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("+");
  await page.waitForURL(/from=00%3A00&to=06%3A00/);
  await page.waitForFunction(() => document.activeElement.id === "day-graph");
  await page.keyboard.press("-");
  await page.waitForURL((url) => url.search === "");
  await page.getByText("Look closer").click();
  await reads(page.locator(".keys"), /Shift/);
});

on({ signedIn: false }, "a sign-in goes there and back again", async (set, open) => {
  const page = await open("/");
  await page.locator(".trouble").waitFor();
  await picture(page, "sign-in-needed");
  await page.getByRole("link", { name: "Sign in", exact: true }).click();
  await page.getByRole("button", { name: "Begin" }).click();
  await page.getByRole("link", { name: "To the consent page" }).click();
  // The consent page is the cloud's own.
  assert.equal(new URL(page.url()).origin, set.ready.url);
  page.foreign.length = 0;
  page.complaints.length = 0;
  await page.getByRole("button", { name: /allow/i }).click();
  await page.waitForURL(`${set.url}/`);
  await page.locator("#now .zone").waitFor();
  await reads(page.locator("#now .bpm"), /^\d+$/);
  page.foreign.length = 0;
  page.complaints.length = 0;
});

on({}, "the age counts on without a connection, and that is said", async (set, open) => {
  await set.updated();
  const page = await open("/");
  const age = page.locator("#now .age time");
  assert.match(await age.innerText(), /^\d+ min ago$/);
  const before = parseInt(await age.innerText(), 10);
  await page.clock.install();
  await page.reload();
  await set.daemon.stop();
  await page.locator("#lost").waitFor();
  await reads(page.locator("#lost"), /No connection/);
  await page.clock.fastForward("20:00");
  await page.waitForFunction(
    (least) => parseInt(document.querySelector("#now .age time").textContent, 10) >= least,
    before + 20,
  );
  const rate = await bpm(page);
  assert.match(await page.title(), new RegExp(`^${rate} bpm, \\d+ min ago · Pulsewing$`));
  assert.deepEqual(await looks(page), { look: "fresh", first: "H1", isQuiet: false });
  await picture(page, "lost");
  // An old one does not look new, though nobody tells the page so.
  await page.clock.fastForward("40:00");
  await page.waitForFunction(() => document.getElementById("now").dataset.look === "old");
  assert.match(await page.title(), new RegExp(`^1 h( \\d+ min)? ago: was ${rate} bpm · Pulsewing$`));
  assert.deepEqual(await looks(page), { look: "old", first: "P", isQuiet: true });
  await reads(page.locator(".freshness"), /^Old: /);
  await reads(page.locator("#hours h2"), /^24 hours until \d\d:\d\d$/);
  await reads(page.locator("#recent h2"), "15 minutes until 14:59");
  assert.ok(await page.locator("#hours-graph .now-word").isHidden(), "the present is over");
  assert.match(await page.locator("link[rel=icon]").getAttribute("href"), new RegExp(`bpm=${rate}&age=old$`));
  await reads(page.locator("#now h1"), /^was\s+\d+/);
  assert.deepEqual(await violations(page), []);
  await picture(page, "old");
  await page.clock.fastForward("25:00:00");
  await page.waitForFunction(() => document.getElementById("now").dataset.look === "long-ago");
  await reads(page.locator("#facts time[data-due]"), "overdue");
  assert.equal(await page.title(), `1 day ago: was ${rate} bpm · Pulsewing`);
  assert.deepEqual(await violations(page), []);
  await picture(page, "long-ago");
  // A connection that is refused is the browser's to complain of.
  page.complaints.length = 0;
  await set.run(new URL(set.url).host);
  await page.clock.fastForward("01:00");
  await page.locator("#lost").waitFor({ state: "hidden" });
  page.complaints.length = 0;
});

on({}, "without a script the essentials are there", async (set, open) => {
  await set.updated();
  const { reading } = await set.now();
  const page = await open("/", { javaScriptEnabled: false });
  assert.equal(await bpm(page), String(reading.latest.bpm));
  assert.ok(await page.locator("#recent-graph .beat").first().isVisible());
  await page.getByText("As a table").click();
  assert.equal(await page.locator("#recent tbody tr").count(), 15);
  await page.getByRole("button", { name: "Update now" }).click();
  await reads(page.locator("#now .bpm"), String(reading.latest.bpm));
});

const PATHS = ["/", "/day/2026-11-21", "/week/2026-11-22", "/month/2026-11", "/sign-in", "/nowhere"];
const WIDTHS = [320, 390, 820, 1280, 1920];
/** Those of which a picture is kept in light and dark, for whoever wants to look. */
const KEPT = [390, 820, 1280];

on({}, "it fits a phone, a tablet, a desk and a wall, and axe finds nothing serious in light or in dark", async (set, open) => {
  await set.updated();
  // Four days are enough to say what is usual.
  await set.daemon.line("stderr", "fetched a past day date=2026-11-18");
  // It does find what is there to be found.
  const broken = await open("/");
  await broken.evaluate(() => document.documentElement.removeAttribute("lang"));
  await broken.evaluate(() => document.querySelector("nav a").setAttribute("aria-current", "x"));
  assert.match((await violations(broken)).join("\n"), /html-has-lang/);
  for (const path of PATHS) {
    const name = path === "/" ? "now" : path.split("/")[1];
    const page = await open(path);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${path} at ${width} is ${wide} wide`);
      if (width >= 390) {
        const cut = await page.locator(".scroll").evaluateAll((all) => all.filter((it) => it.scrollWidth > it.clientWidth).length);
        assert.equal(cut, 0, `a table of ${path} is cut at ${width}`);
      }
      for (const colorScheme of KEPT.includes(width) ? ["light", "dark"] : []) {
        await page.emulateMedia({ colorScheme });
        if (width !== 820) assert.deepEqual(await violations(page), [], `${path}, ${width}, ${colorScheme}`);
        await picture(page, `${name}-${width}-${colorScheme}`);
      }
    }
    if (path === "/nowhere") page.complaints.length = 0;
    await page.context().close();
  }
});

on({}, "what is seen is where it belongs", async (set, open) => {
  await set.updated();
  await set.daemon.line("stderr", "fetched a past day date=2026-11-18");
  const page = await open("/", { viewport: { width: 1280, height: 800 } });
  const boxes = (selector) => page.locator(selector).evaluateAll((all) => all.map((it) => it.getBoundingClientRect().toJSON()));
  // The rate and the latest minutes are side by side, and as high as each other.
  const [now] = await boxes("#now");
  const [recent] = await boxes("#recent");
  assert.ok(now.top === recent.top && now.bottom === recent.bottom && now.right < recent.left, JSON.stringify([now, recent]));
  assert.match(await page.locator("#now .trend").innerText(), /rising|steady|falling/);
  await reads(page.locator(".usual-now"), /^Usual for this time: \d+ to \d+/);
  // The marks of the last 24 hours, and their legend in words.
  for (const mark of [".midnight", ".night", ".present", ".resting", ".usual"]) {
    assert.ok((await page.locator(`#hours-graph ${mark}`).count()) > 0, mark);
  }
  await reads(page.locator("#hours .key"), /usual:[^]*resting heart rate, \d+ bpm[^]*night, 22:00 to 06:00/);
  // Only zones with minutes, in a bar and in words.
  const zones = await page.locator("#hours .zones .zone").allInnerTexts();
  assert.deepEqual(zones, ["Easy", "Light"]);
  assert.equal(await page.locator("#hours .stack rect").count(), zones.length);
  // A label's middle is at its instant.
  await page.goto(`${set.url}/day/2026-11-21`);
  const [field] = await boxes("#day-graph");
  const labels = page.locator("#day .times text");
  assert.equal(await labels.first().textContent(), "00:00");
  const middles = await boxes("#day .times text");
  for (const [place, box] of middles.entries()) {
    const hour = parseInt(await labels.nth(place).textContent(), 10);
    const off = (box.left + box.right) / 2 - (field.left + (field.width * hour) / 24);
    assert.ok(Math.abs(off) < 1, `${hour}:00 is ${off} away`);
  }
  // On a phone, what chooses a date is in one line.
  await page.setViewportSize({ width: 390, height: 800 });
  const line = await boxes(".dates .step, .dates input, .dates button");
  assert.ok(line.length === 4 && line.every((it) => it.top < line[0].bottom && it.bottom > line[0].top), JSON.stringify(line));
});

on({ settings: '[web]\npassphrase = "correct horse"\n' }, "a passphrase opens the page", async (set, open) => {
  const page = await open("/day/2026-11-22");
  await page.getByLabel("Passphrase").fill("battery staple");
  await page.getByRole("button", { name: "Open" }).click();
  await reads(page.getByRole("alert"), /not the passphrase/);
  assert.deepEqual(await violations(page), []);
  await picture(page, "passphrase");
  // A refusal is a reply that the browser complains of.
  page.complaints.length = 0;
  await page.getByLabel("Passphrase").fill("correct horse");
  await page.getByRole("button", { name: "Open" }).click();
  await reads(page.getByRole("heading", { level: 1 }), "Sunday, November 22, 2026");
});
