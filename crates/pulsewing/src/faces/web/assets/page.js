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

// Ages count on, even without a connection.
function count() {
  grow();
  for (const time of document.querySelectorAll("time[data-at]")) {
    const age = now() - Number(time.dataset.at);
    const words = age < 60000 ? "just now" : `${length(age)} ago`;
    if (time.textContent !== words) time.textContent = words;
  }
  for (const time of document.querySelectorAll("time[data-due]")) {
    const wait = Number(time.dataset.due) - now();
    const words = wait < -120000 ? "overdue" : wait < 60000 ? "within a minute" : `in ${length(wait)}`;
    if (time.textContent !== words) time.textContent = words;
  }
}
setInterval(count, 5000);

// An old heart rate does not look new: its age comes first, and the tab's title has it. On the page
// of all wearers that is so for each.
function grow() {
  for (const part of document.querySelectorAll("[data-look]")) growOlder(part);
}

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
    const words = look === "fresh" ? `${bpm} bpm, ${ago}` : `${ago}: was ${bpm} bpm`;
    document.title = `${whose ? `${whose}: ` : ""}${words} · Pulsewing`;
  }
  part.dataset.look = look;
  if (was !== "fresh" || look === "fresh") return;
  const rate = part.querySelector(".was").parentElement;
  part.querySelector(".was").hidden = false;
  rate.before(part.querySelector(".age"));
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
    const focused = document.activeElement && document.activeElement.id;
    const looked = [...document.querySelectorAll(".field[data-bpm]")].map((it) => [it, it.looked()]);
    for (const part of fresh.querySelectorAll("[data-live]")) {
      const old = document.getElementById(part.id);
      if (!old || said.get(part.id) === part.innerHTML) continue;
      said.set(part.id, part.innerHTML);
      const open = [...old.querySelectorAll("details")].map((it) => it.open);
      part.querySelectorAll("details").forEach((it, n) => (it.open = open[n]));
      if (part.id === "now") skew = Number(part.dataset.clock) - Date.now();
      old.replaceWith(document.importNode(part, true));
    }
    document.title = fresh.title;
    if (focused && document.getElementById(focused)) document.getElementById(focused).focus({ preventScroll: true });
    watch();
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
  const zooms = "zooms" in field.dataset;
  let at = null;
  let from = null;

  const time = (minute) => {
    let offset = 0;
    for (const [since, seconds] of offsets) if (minute >= since) offset = seconds;
    return new Date((start + minute * 60 + offset) * 1000).toISOString().slice(11, 16);
  };
  const minuteAt = (event) => {
    const box = field.getBoundingClientRect();
    const minute = Math.floor(((event.clientX - box.left) / box.width) * rates.length);
    return Math.min(Math.max(minute, 0), rates.length - 1);
  };
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
  const hide = () => {
    if (field.matches(":focus-visible") && at !== null) return;
    cursor.hidden = tip.hidden = true;
    at = null;
  };
  const zoom = (a, b) => {
    const page = new URL(location.href);
    page.search = "";
    page.searchParams.set("from", time(Math.min(a, b)));
    const end = Math.max(a, b) + 1;
    page.searchParams.set("to", end >= rates.length && time(end % rates.length) <= time(0) ? "24:00" : time(end));
    location.assign(page);
  };

  // Where somebody looks, as times: a newer graph of the same takes them over.
  field.looked = () => at !== null && [at, from].map((it) => it !== null && start + it * 60);
  field.look = (times) => {
    const [minute, first] = times.map((it) => (it === false ? null : Math.round((it - start) / 60)));
    from = first;
    if (minute >= 0 && minute < rates.length) show(minute);
  };
  field.addEventListener("pointermove", (event) => show(minuteAt(event)));
  field.addEventListener("pointerleave", () => {
    from = null;
    hide();
  });
  field.addEventListener("blur", () => {
    cursor.hidden = tip.hidden = true;
    at = null;
  });
  if (zooms) {
    field.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && event.pointerType !== "touch") from = minuteAt(event);
    });
    field.addEventListener("pointerup", (event) => {
      const [a, b] = [from, minuteAt(event)];
      from = null;
      if (a !== null && Math.abs(a - b) >= 10) zoom(a, b);
      else show(b);
    });
  }
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
        cursor.hidden = tip.hidden = true;
        at = null;
        return;
      case "+":
        if (zooms && at !== null) {
          const half = Math.max(5, Math.floor(rates.length / 4));
          zoom(Math.max(0, at - half), Math.min(rates.length - 1, at + half));
        }
        return;
      case "-":
        if (zooms && location.search) location.assign(location.pathname);
        return;
      default:
        return;
    }
    event.preventDefault();
    show(next);
  });
}

watch();
count();
