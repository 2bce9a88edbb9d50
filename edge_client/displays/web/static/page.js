"use strict";

// The page asks for what changed once a second while somebody looks at it; all texts go in as text, never as HTML.

const PERIOD_MS = 1000;
const PATIENCE_MS = 8000;
const SURE = 0.8;
const DOUBTFUL = 0.5;

const byId = (id) => document.getElementById(id);
const cards = new Map(); // uid -> {element, read}
let session = "";
let revision = 0;
let timer = 0;

function grade(confidence) {
  if (confidence >= SURE) return "sure-read";
  return confidence >= DOUBTFUL ? "unsure" : "bad";
}

function percent(confidence) {
  return Math.min(99, Math.floor(confidence * 100)) + " %";
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function ago(moment) {
  const seconds = Math.max(0, Math.round((Date.now() - moment) / 1000));
  if (seconds < 60) return seconds + " s ago";
  if (seconds < 3600) return Math.floor(seconds / 60) + " min ago";
  if (seconds < 86400) return Math.floor(seconds / 3600) + " h ago";
  return moment.toLocaleDateString();
}

function place(read) {
  if (read.latitude === null || read.longitude === null) return element("span", "", "no position");
  const north = Math.abs(read.latitude).toFixed(5) + (read.latitude >= 0 ? " N" : " S");
  const east = Math.abs(read.longitude).toFixed(5) + (read.longitude >= 0 ? " E" : " W");
  const link = element("a", "", north + "  " + east);
  const point = read.latitude.toFixed(6) + "," + read.longitude.toFixed(6);
  link.href = "geo:" + point + "?q=" + point;
  link.title = "Open in a map";
  return link;
}

function fill(card, read) {
  const find = (selector) => card.querySelector(selector);
  find(".crop").src = read.crop;
  const plate = find(".plate");
  plate.replaceChildren();
  Array.from(read.text).forEach((character, i) => {
    const confidence = i < read.characters.length ? read.characters[i] : read.confidence;
    plate.append(element("span", grade(confidence), character));
  });
  plate.title = Array.from(read.text).map((character, i) => character + " " + percent(read.characters[i] ?? 0)).join("  ");
  find(".sure").className = "sure " + grade(read.confidence);
  find(".bar span").style.width = Math.round(read.confidence * 100) + "%";
  find(".percent").textContent = percent(read.confidence);
  const moment = new Date(read.last_seen);
  const time = find("time");
  time.dateTime = read.last_seen;
  time.textContent = moment.toLocaleTimeString([], { hour12: false });
  time.title = moment.toLocaleString() + " (" + read.last_seen + ")";
  find(".where").replaceChildren(place(read));
}

function matches(read) {
  const wanted = byId("filter").value.trim().toUpperCase().replace(/[\s-]/g, "");
  return wanted === "" || read.text.toUpperCase().includes(wanted);
}

function showReads(reads, removed) {
  for (const uid of removed) {
    cards.get(uid)?.element.remove();
    cards.delete(uid);
  }
  for (const read of reads) {
    const known = cards.get(read.uid);
    const card = known ? known.element : byId("card").content.firstElementChild.cloneNode(true);
    cards.set(read.uid, { element: card, read });
    fill(card, read);
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

function state(name, text, kind) {
  const item = element("li", "state " + kind);
  item.append(element("b", "", name), element("span", "", text));
  return item;
}

function kindOf(text) {
  if (/^(ok|fix|on|replaying)/i.test(text)) return "ok";
  if (/^(down|fail|ended|error)/i.test(text)) return "bad";
  if (/^(off|none|no )/i.test(text)) return "off";
  return "unsure";
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
  const states = Object.entries(status.apis).map(([name, text]) => state(name, text, kindOf(text)));
  states.push(state("GPS", status.gps, kindOf(status.gps)));
  const full = status.queue >= status.queue_limit;
  states.push(state("requests", status.queue + " of " + status.queue_limit + " in flight", full ? "unsure" : "ok"));
  if (status.recording !== null) states.push(state("recording", status.recording, kindOf(status.recording)));
  byId("states").replaceChildren(...states);

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
  try {
    const answer = await fetch("/api/live?session=" + encodeURIComponent(session) + "&after=" + revision, {
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (answer.status === 401) {
      window.location.reload();
      return;
    }
    if (!answer.ok) throw new Error("status " + answer.status);
    const live = await answer.json();
    if (live.session !== session) {
      session = live.session;
      revision = 0;
      cards.clear();
      byId("list").replaceChildren();
      startPicture();
    }
    byId("source").textContent = live.source;
    showStatus(live.status);
    showReads(live.reads, live.removed);
    revision = live.revision;
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

function unveil() {
  if (byId("picture").naturalWidth > 0) byId("veil").hidden = true;
}

byId("picture").addEventListener("load", unveil);
byId("full").hidden = !document.fullscreenEnabled;
byId("filter").addEventListener("input", () => {
  for (const { element: card, read } of cards.values()) card.hidden = !matches(read);
});
byId("full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else byId("screen").requestFullscreen?.();
});
document.addEventListener("visibilitychange", () => {
  // A page that nobody looks at costs the device nothing.
  if (document.hidden) {
    window.clearTimeout(timer);
    stopPicture();
  } else {
    startPicture();
    update();
  }
});
update();
