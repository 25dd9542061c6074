// Keeps an open page up to date. Without it the page is complete, and stands still.
"use strict";

// The server's clock, as it was when the page was made, and this one since.
let skew = 0;
const clock = document.getElementById("now");
if (clock) skew = Number(clock.dataset.clock) - Date.now();
const now = () => Date.now() + skew;

function length(ms) {
  const minutes = Math.floor(Math.abs(ms) / 60000);
  if (minutes < 1) return "less than a minute";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (minutes < 1440) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(minutes / 1440);
  return days === 1 ? "1 day" : `${days} days`;
}

// Dates are ISO until here; then all of each is in the reader's own locale. They are civil dates, so no
// zone may move them.
const forms = {
  long: { weekday: "long", day: "numeric", month: "long", year: "numeric" },
  day: { day: "numeric", month: "short", year: "numeric" },
  short: { weekday: "short", day: "numeric", month: "short" },
  weekday: { weekday: "short" },
  "in-month": { weekday: "short", day: "numeric" },
  month: { month: "long", year: "numeric" },
};
function localize() {
  for (const it of document.querySelectorAll("[data-date]")) {
    const date = it.getAttribute("datetime") || it.dataset.iso;
    const format = new Intl.DateTimeFormat(navigator.language, { ...forms[it.dataset.date], timeZone: "UTC" });
    it.textContent = format.format(new Date(date.length < 8 ? `${date}-01` : date));
    it.lang = navigator.language;
    delete it.dataset.date;
  }
}

// Ages count on, even without a connection.
function count() {
  localize();
  grow();
  for (const time of document.querySelectorAll("time[data-at]")) {
    const age = now() - Number(time.dataset.at);
    const seconds = Math.max(0, Math.floor(age / 1000));
    const words = time.dataset.liveFor && age < 60000 ? `${seconds} s ago` : age < 60000 ? "just now" : `${length(age)} ago`;
    if (time.textContent !== words) time.textContent = words;
  }
  for (const time of document.querySelectorAll("time[data-due]")) {
    const wait = Number(time.dataset.due) - now();
    const words = wait < -120000 ? "overdue" : wait < 60000 ? "within a minute" : `in ${length(wait)}`;
    if (time.textContent !== words) time.textContent = words;
  }
}
setInterval(count, 5000);

// A live rate is told in seconds. When it is not live any more, nothing says so, and the page asks what is.
setInterval(() => {
  const time = document.querySelector("time[data-live-for]");
  if (!time) return;
  count();
  if (now() - Number(time.dataset.at) <= Number(time.dataset.liveFor)) return;
  const words = time.closest("[data-look]")?.querySelector(".freshness");
  if (words) words.textContent = "";
  refresh();
}, 1000);

// An old heart rate does not look new: its age comes first, and the tab's title has it. On the page
// of all wearers that is so for each.
function grow() {
  for (const part of document.querySelectorAll("[data-look]")) growOlder(part);
}

let prepared = "";
function growOlder(part) {
  const time = part.querySelector(".age time");
  if (!time) return;
  const was = part.dataset.look;
  const isOld = was !== "fresh" || now() > Number(part.dataset.oldAfter);
  const look = now() >= Number(part.dataset.longAgoAt) ? "long-ago" : isOld ? "old" : "fresh";
  const bpm = part.querySelector(".bpm").textContent;
  const age = now() - Number(time.dataset.at);
  const ago = age < 60000 ? "just now" : `${length(age)} ago`;
  if (part.id === "now") {
    const whose = document.body.dataset.whose;
    const trouble = part.dataset.trouble ? `${part.dataset.trouble}. ` : "";
    const words = look === "fresh" ? `${bpm} bpm, ${ago}` : `${ago}: was ${bpm} bpm`;
    document.title = `${whose ? `${whose}: ` : ""}${trouble}${words} · Pulsewing`;
    // The tab's icon grows old as well. It is fetched while there is a connection, and kept by the browser.
    const old = `/assets/state.svg?bpm=${bpm}&age=old`;
    if (look === "fresh" && prepared !== old) new Image().src = prepared = old;
    if (was === "fresh" && look !== "fresh") document.querySelector("link[rel=icon]").href = old;
  }
  part.dataset.look = look;
  if (was !== "fresh" || look === "fresh") return;
  const rate = part.querySelector(".was").parentElement;
  part.querySelector(".was").hidden = false;
  rate.before(part.querySelector(".age"));
  if (part.id === "now") {
    // What was the present is not any more.
    part.dataset.grown = "";
    for (const heading of document.querySelectorAll("h2[data-old]")) heading.textContent = heading.dataset.old;
  }
  const words = part.querySelector(".freshness");
  if (words) {
    words.dataset.fresh = "stale";
    words.textContent = words.dataset.old;
  }
  // Perhaps it is known why.
  refresh();
}

// The page itself says what is new: it is fetched again, and what it says otherwise than before is
// put in place. What it said is kept, for the ages and the graphs write into its parts.
const said = new Map();
for (const part of document.querySelectorAll("[data-live]")) said.set(part.id, part.innerHTML);
let fetching = false;
let again = false;
async function refresh() {
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  try {
    const reply = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!reply.ok || reply.redirected) return;
    const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
    const looked = [...document.querySelectorAll(".field[data-bpm]")].map((it) => [it, it.looked()]);
    let before = null;
    for (const part of fresh.querySelectorAll("[data-live]")) {
      const old = document.getElementById(part.id);
      const isSame = old && said.get(part.id) === part.innerHTML;
      said.set(part.id, part.innerHTML);
      if (isSame) {
        before = old;
        continue;
      }
      if (part.id === "now") skew = Number(part.dataset.clock) - Date.now();
      const made = document.importNode(part, true);
      if (old) replace(old, made);
      else if (before) before.after(made);
      else document.getElementById("main").prepend(made);
      before = made;
    }
    document.title = fresh.title;
    const icon = document.querySelector("link[rel=icon]");
    const drawn = fresh.querySelector("link[rel=icon]").getAttribute("href");
    if (icon.getAttribute("href") !== drawn) icon.href = drawn;
    watch();
    listen();
    for (const [field, look] of looked) {
      if (look && !field.isConnected) document.getElementById(field.id)?.look(look);
    }
    count();
  } catch {
    // The events' own connection says that there is none.
  } finally {
    fetching = false;
    if (again) {
      again = false;
      refresh();
    }
  }
}

// Puts a newer part in the place of an old one: what was open stays open, what was scrolled stays scrolled,
// and the focus stays where it was.
const FOCUSABLE = "a[href], button, input, summary, [tabindex]";
function replace(old, made) {
  const pairs = (what) => {
    const all = [...made.querySelectorAll(what)];
    return [...old.querySelectorAll(what)].map((it, n) => [it, all[n]]).filter(([, other]) => other);
  };
  for (const [was, is] of pairs("details")) is.open = was.open;
  const scrolled = pairs(".scroll").map(([was, is]) => [is, was.scrollTop, was.scrollLeft]);
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const same = (it) => (focused.id ? it.id === focused.id : it.outerHTML === focused.outerHTML);
  const next =
    focused &&
    ([...made.querySelectorAll(FOCUSABLE)].find(same) || pairs(FOCUSABLE).find(([was]) => was === focused)?.[1]);
  old.replaceWith(made);
  for (const [it, top, left] of scrolled) [it.scrollTop, it.scrollLeft] = [top, left];
  if (next) next.focus({ preventScroll: true });
}

// Alarms are heard once the reader has allowed sound: browsers ask for a press. A melody is played when people are
// told of an alarm, and not again for the same signal.
const sound = document.getElementById("sound");
let audio = null;
const heard = new Set();
const signals = () => [...document.querySelectorAll("#alarms [data-told]")];
for (const it of signals()) {
  // A signal from before this page was opened is no news.
  if (now() - Number(it.dataset.told.split(" ").at(-1)) > 60000) heard.add(it.dataset.told);
}
function showSound() {
  if (!sound) return;
  const isOn = audio?.state === "running";
  sound.hidden = !document.querySelector("#alarms[data-sound], #alarms .alarm");
  sound.querySelector("span").textContent = isOn ? "Sound is on." : "Sound is off.";
  sound.querySelector("button").textContent = isOn ? "Turn off" : "Press to allow";
}
function play(melody) {
  let at = audio.currentTime + 0.05;
  for (const [hertz, ms] of melody.split(" ").map((it) => it.split(":").map(Number))) {
    if (hertz) {
      const tone = new OscillatorNode(audio, { type: "triangle", frequency: hertz });
      const loudness = new GainNode(audio, { gain: 0.4 });
      // Without a ramp each end is a click.
      loudness.gain.setTargetAtTime(0, at + ms / 1000 - 0.02, 0.006);
      tone.connect(loudness).connect(audio.destination);
      tone.start(at);
      tone.stop(at + ms / 1000 + 0.03);
    }
    at += ms / 1000;
  }
}
function listen() {
  for (const { dataset } of signals()) {
    if (!dataset.melody || heard.has(dataset.told) || audio?.state !== "running") continue;
    heard.add(dataset.told);
    sound.dataset.played = dataset.told;
    play(dataset.melody);
  }
  showSound();
}
async function allowSound() {
  audio ??= new AudioContext();
  await audio.resume();
  localStorage.setItem("sound", "on");
  listen();
}
sound?.querySelector("button").addEventListener("click", async () => {
  if (audio?.state === "running") {
    localStorage.removeItem("sound");
    await audio.close();
    audio = null;
    showSound();
  } else {
    await allowSound();
    play("1319:120");
  }
});
// Some browsers let a page that was allowed before begin by itself; others wait for any press.
if (sound && localStorage.getItem("sound") === "on") {
  audio = new AudioContext();
  audio.addEventListener("statechange", listen);
  document.addEventListener("pointerdown", () => audio?.resume(), { once: true });
}
listen();

const lost = document.getElementById("lost");
const events = new EventSource(document.body.dataset.events);
events.addEventListener("now", () => {
  lost.hidden = true;
  // Also at first: something may have changed since the page was made.
  refresh();
});
events.onerror = () => {
  lost.hidden = false;
};

// Graphs name the minute under the pointer, or under the cursor of the keyboard.
function watch() {
  for (const field of document.querySelectorAll(".field[data-bpm]")) {
    if (field.watched) continue;
    field.watched = true;
    graph(field);
  }
}

function graph(field) {
  const rates = field.dataset.bpm.split(",");
  const start = Number(field.dataset.start);
  const [low, high] = [Number(field.dataset.low), Number(field.dataset.high)];
  const offsets = field.dataset.offsets.split(";").map((it) => it.split(":").map(Number));
  const cursor = field.querySelector(".cursor");
  const tip = field.querySelector(".tip");
  // On the page of a day: the number of its minutes before this part, and of all. A part of it can be chosen.
  const [before, whole] = (field.dataset.part || "").split(":").map(Number);
  const zooms = whole > 0;
  let at = null;
  let from = null;

  const time = (minute) => {
    let offset = offsets[0][1];
    for (const [since, seconds] of offsets) if (minute >= since) offset = seconds;
    return new Date((start + minute * 60 + offset) * 1000).toISOString().slice(11, 16);
  };
  const share = (event) => {
    const box = field.getBoundingClientRect();
    return (event.clientX - box.left) / box.width;
  };
  const minuteAt = (event) => Math.min(Math.max(Math.floor(share(event) * rates.length), 0), rates.length - 1);
  const show = (minute) => {
    at = minute;
    const rate = rates[minute];
    const left = ((minute + 0.5) / rates.length) * 100;
    cursor.hidden = tip.hidden = false;
    if (from === null) {
      cursor.style.left = `${left}%`;
      cursor.style.width = "";
      cursor.classList.remove("wide");
    } else {
      const [a, b] = [Math.min(from, minute), Math.max(from, minute)];
      cursor.style.left = `${(a / rates.length) * 100}%`;
      cursor.style.width = `${((b + 1 - a) / rates.length) * 100}%`;
      cursor.classList.add("wide");
    }
    tip.textContent =
      from !== null && from !== minute
        ? `${time(Math.min(from, minute))} to ${time(Math.max(from, minute))}`
        : `${time(minute)} · ${rate ? `${rate} bpm` : "no value"}`;
    const top = rate ? ((high - Number(rate)) / (high - low)) * 100 : 50;
    tip.style.left = `${left}%`;
    tip.style.top = `${top}%`;
    tip.classList.toggle("leftwards", left > 60);
    tip.classList.toggle("below", top < 35);
  };
  const clear = () => {
    cursor.hidden = tip.hidden = true;
    at = from = null;
  };
  // Shows the minutes from one up to another, both of this graph, or beyond it and of its day.
  const zoom = (first, end) => {
    const page = new URL(location.href);
    page.search = "";
    const [a, b] = [Math.max(Math.round(first), -before), Math.min(Math.round(end), whole - before)];
    if (b - a < whole - 15) {
      page.searchParams.set("from", time(a));
      page.searchParams.set("to", b >= whole - before ? "24:00" : time(b));
    }
    if (field.matches(":focus-visible")) sessionStorage.setItem("focus", field.id);
    location.assign(page);
  };
  const choose = (a, b) => zoom(Math.min(a, b), Math.max(a, b) + 1);

  // Where somebody looks, as times: a newer graph of the same takes them over.
  field.looked = () => at !== null && [at, from].map((it) => it !== null && start + it * 60);
  field.look = (times) => {
    const [minute, first] = times.map((it) => (it === false ? null : Math.round((it - start) / 60)));
    from = first;
    if (minute >= 0 && minute < rates.length) show(minute);
  };
  field.addEventListener("blur", clear);
  // A value that was tapped stays until somebody taps elsewhere.
  document.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" && !field.contains(event.target)) clear();
  });

  // The mouse, and a pen.
  field.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "touch") show(minuteAt(event));
  });
  field.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "touch") return;
    from = null;
    if (!field.matches(":focus-visible")) clear();
  });
  if (zooms) {
    field.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && event.pointerType !== "touch") from = minuteAt(event);
    });
    field.addEventListener("pointerup", (event) => {
      if (event.pointerType === "touch") return;
      const [a, b] = [from, minuteAt(event)];
      from = null;
      if (a !== null && Math.abs(a - b) >= 10) choose(a, b);
      else show(b);
    });
  }
  touch(field, { rates, zooms, share, minuteAt, show, clear, choose, zoom, begin: (minute) => (from = minute) });

  field.addEventListener("keydown", (event) => {
    const known = (minute, step) => {
      let next = minute;
      do next += step;
      while (next >= 0 && next < rates.length && !rates[next]);
      return next >= 0 && next < rates.length ? next : minute;
    };
    const last = known(rates.length, -1);
    const stride = event.shiftKey ? 15 : 1;
    let next = at === null ? last : at;
    switch (event.key) {
      case "ArrowLeft":
        if (at !== null) for (let n = 0; n < stride; n++) next = known(next, -1);
        break;
      case "ArrowRight":
        if (at !== null) for (let n = 0; n < stride; n++) next = known(next, 1);
        break;
      case "Home":
        next = known(-1, 1);
        break;
      case "End":
        next = last;
        break;
      case "Escape":
        clear();
        return;
      case "+":
        if (zooms) {
          const half = Math.max(5, Math.floor(rates.length / 4));
          zoom(Math.max(0, next - half), Math.min(rates.length, next + half));
        }
        return;
      case "-":
        if (zooms && location.search) zoom(-before, whole - before);
        return;
      default:
        return;
    }
    event.preventDefault();
    show(next);
  });
}

// A tap names a minute, and it stays. On the page of a day a finger that is dragged sideways chooses a part,
// and two fingers stretch the graph or press it together. Up and down the page scrolls.
function touch(field, { rates, zooms, share, minuteAt, show, clear, choose, zoom, begin }) {
  const fingers = new Map();
  let first = null;
  let pinch = null;
  const pictures = field.querySelectorAll(":scope > svg");
  const stretch = (value) => pictures.forEach((it) => (it.style.transform = value));

  // The range that puts the minutes under the fingers where the fingers are now.
  const pinched = () => {
    const [p, q] = [...fingers.values()].sort((a, b) => a - b);
    const span = (pinch[1] - pinch[0]) / Math.max(q - p, 0.02);
    return [pinch[0] - p * span, pinch[0] - p * span + span];
  };
  field.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    fingers.set(event.pointerId, share(event));
    if (fingers.size === 1) {
      first = [minuteAt(event), event.clientX];
      begin(null);
      show(first[0]);
    } else if (zooms && fingers.size === 2) {
      clear();
      pinch = [...fingers.values()].sort((a, b) => a - b).map((it) => it * rates.length);
      for (const picture of pictures) picture.style.transformOrigin = "0 0";
    }
  });
  field.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, share(event));
    if (pinch && fingers.size === 2) {
      const [a, b] = pinched();
      const scale = rates.length / (b - a);
      stretch(`translateX(${(-a / rates.length) * scale * 100}%) scaleX(${scale})`);
    } else if (!pinch && first) {
      if (zooms && Math.abs(event.clientX - first[1]) > 12) begin(first[0]);
      show(minuteAt(event));
    }
  });
  field.addEventListener("pointerup", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const range = pinch && fingers.size === 2 && pinched();
    fingers.delete(event.pointerId);
    if (range) {
      const [a, b] = range;
      if (b - a >= 10 && Math.abs(b - a - rates.length) > rates.length / 10) zoom(a, b);
      else stretch("");
    } else if (!pinch && first) {
      const minute = minuteAt(event);
      begin(null);
      if (zooms && Math.abs(minute - first[0]) >= 10 && Math.abs(event.clientX - first[1]) > 12) choose(first[0], minute);
      else show(minute);
    }
    if (fingers.size === 0) first = pinch = null;
  });
  // The browser took over, to scroll.
  field.addEventListener("pointercancel", (event) => {
    if (!fingers.delete(event.pointerId)) return;
    stretch("");
    clear();
    if (fingers.size === 0) first = pinch = null;
  });
}

watch();
count();
// After a zoom with the keyboard, the keyboard is where it was.
document.getElementById(sessionStorage.getItem("focus"))?.focus();
sessionStorage.removeItem("focus");
