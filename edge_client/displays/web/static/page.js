"use strict";

// The live view asks for what changed once a second while somebody looks at it.

const PERIOD_MS = 1000;
const LOCK_TOLD_MS = 4000;

const cards = new Map(); // uid -> {element, read}
let session = "";
let revision = 0;
let timer = 0;
let live = false; // whether the live view is open and looked at
let camera = ""; // what is wrong with it
let lockable = false; // whether something is recorded

function matches(read) {
  const bare = (text) => text.toUpperCase().replace(/[\s-]/g, "");
  const wanted = bare(byId("filter").value);
  return bare(read.text).includes(wanted) || (read.vehicle !== null && bare(read.vehicle.title).includes(wanted));
}

function showReads(reads, removed) {
  for (const uid of removed) {
    cards.get(uid)?.element.remove();
    cards.delete(uid);
  }
  for (const read of reads) {
    const known = cards.get(read.uid);
    const card = known ? known.element : newCard();
    cards.set(read.uid, { element: card, read });
    fillCard(card, read);
    card.hidden = !matches(read);
    if (!known && revision > 0) card.classList.add("new");
    if (byId("list").firstElementChild !== card) byId("list").prepend(card);
  }
  while (cards.size > 60) {
    const oldest = byId("list").lastElementChild;
    for (const [uid, entry] of cards) if (entry.element === oldest) cards.delete(uid);
    oldest.remove();
  }
  for (const { element: card, read } of cards.values()) {
    card.querySelector(".ago").textContent = ago(new Date(read.last_seen));
  }
  byId("none").hidden = cards.size > 0;
}

function state(part) {
  const item = element("li", "state " + part.grade);
  const word = element("span", "", part.word);
  if (part.detail) word.append(element("span", "more", ", " + part.detail));
  item.append(element("b", "", part.part), word);
  return item;
}

function counter(name, value, unit, warn) {
  const box = element("div", warn ? "warn" : "");
  const number = element("dd", "", value);
  if (unit) number.append(element("small", "", unit));
  box.append(element("dt", "", name), number);
  return box;
}

function showStatus(status) {
  if (status === null) return;
  const apis = Object.entries(status.apis).map(([name, text]) => {
    const grade = text === "ok" ? "ok" : text.startsWith("down") ? "bad" : "note";
    return { part: name, word: text, grade, detail: "" };
  });
  const full = status.queue >= status.queue_limit;
  const requests = status.queue + " of " + status.queue_limit + " in flight";
  const parts = [...status.states, ...apis, { part: "requests", word: requests, grade: full ? "note" : "ok", detail: "" }];
  if (status.video !== null) {
    parts.push({ part: "video file", word: status.video, grade: status.video.startsWith("on") ? "ok" : "bad", detail: "" });
  }
  const urgency = ["bad", "note", "ok", "off"];
  parts.sort((a, b) => urgency.indexOf(a.grade) - urgency.indexOf(b.grade)); // a phone shows the first ones
  byId("states").replaceChildren(...parts.map(state));
  byId("alerts").replaceChildren(...status.alerts.slice(-3).reverse().map((alert) => {
    const item = element("li", "alert");
    item.append(element("b", "", alert.text), element("span", "", [alert.name, alert.note].filter(Boolean).join(": ")));
    item.append(element("span", "ago", ago(new Date(alert.seen))));
    return item;
  }));
  lockable = status.recorded;
  if (!byId("lock").disabled) showLock();
  camera = status.veil;

  const summary = status.summary;
  const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);
  const dropped = sum(summary.dropped);
  const shown = sum(summary.shown);
  byId("counters").replaceChildren(
    counter("rate", status.frame_rate_hz.toFixed(1), "frames/s"),
    counter("age, median", summary.frame_age_s.p50.toFixed(2), "s"),
    counter("age, p99", summary.frame_age_s.p99.toFixed(2), "s", summary.frame_age_s.p99 > 1),
    counter("shown", String(shown), "frames"),
    counter("with result", shown ? String(Math.round((100 * summary.shown.annotated) / shown)) : "-", "%"),
    counter("dropped", String(dropped), "frames", dropped > 0),
  );
  if (status.speed_kmh !== null) {
    byId("counters").prepend(counter("speed", status.speed_kmh.toFixed(0), "km/h"));
  }
  byId("count").textContent = summary.reads + " this drive";
}

function setLink(kind, text) {
  const link = byId("link");
  if (link.textContent !== text) link.textContent = text;
  link.className = "live " + kind;
}

function startPicture() {
  byId("picture").src = "/stream.mjpg?" + Date.now();
}

function stopPicture() {
  byId("picture").removeAttribute("src");
}

async function update() {
  window.clearTimeout(timer);
  if (!live) return;
  try {
    const news = await ask("/api/live?session=" + encodeURIComponent(session) + "&after=" + revision);
    if (news.session !== session) {
      session = news.session;
      revision = 0;
      cards.clear();
      byId("list").replaceChildren();
      startPicture();
    }
    byId("source").textContent = news.source;
    showStatus(news.status);
    showReads(news.reads, news.removed);
    revision = news.revision;
    unveil(); // not every browser tells of the first picture of a stream
    setLink("on", "live");
  } catch (problem) {
    setLink("lost", "connection lost");
    byId("veil").textContent = "The dashcam does not answer. Trying again …";
    byId("veil").hidden = false;
    session = "";
  }
  timer = window.setTimeout(update, PERIOD_MS);
}

// Over the last picture stands what is wrong with the camera, so that nobody takes it for the present one.
function unveil() {
  const veil = byId("veil");
  if (camera !== "") {
    veil.textContent = camera;
    veil.hidden = false;
  } else if (byId("picture").naturalWidth > 0) {
    veil.hidden = true;
  }
}

function showLock(text) {
  const button = byId("lock");
  button.hidden = !lockable && !text;
  button.lastElementChild.textContent = text || "Keep this recording";
}

byId("lock").addEventListener("click", async () => {
  const button = byId("lock");
  button.disabled = true;
  try {
    await ask("/api/lock", { method: "POST" });
    showLock("This recording is kept");
  } catch (problem) {
    showLock(problem.message);
  }
  window.setTimeout(() => {
    button.disabled = false;
    showLock();
  }, LOCK_TOLD_MS);
});

byId("picture").addEventListener("load", unveil);
byId("full").hidden = !document.fullscreenEnabled;
byId("filter").addEventListener("input", () => {
  for (const { element: card, read } of cards.values()) card.hidden = !matches(read);
});
byId("full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else byId("screen").requestFullscreen?.();
});

// A page that nobody looks at costs the device nothing.
function look() {
  const list = window.location.hash === "#list";
  byId("live-view").hidden = list;
  byId("list-view").hidden = !list;
  byId("link").hidden = list;
  byId("to-live").setAttribute("aria-current", list ? "false" : "page");
  byId("to-list").setAttribute("aria-current", list ? "page" : "false");
  const before = live;
  live = !list && !document.hidden;
  if (!live) {
    window.clearTimeout(timer);
    stopPicture();
  } else if (!before) {
    if (session !== "") startPicture(); // else the first answer starts it
    update();
  }
}
document.addEventListener("visibilitychange", look);
window.addEventListener("hashchange", look);
look();
