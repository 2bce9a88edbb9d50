"use strict";

// What both views use. All texts go in as text, never as HTML.

const SURE = 0.8;
const DOUBTFUL = 0.5;
const PATIENCE_MS = 8000;

const byId = (id) => document.getElementById(id);

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function grade(confidence) {
  if (confidence >= SURE) return "sure-read";
  return confidence >= DOUBTFUL ? "unsure" : "bad";
}

function percent(confidence) {
  return Math.min(99, Math.floor(confidence * 100)) + " %";
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

function newCard() {
  return byId("card").content.firstElementChild.cloneNode(true);
}

function fillCard(card, read) {
  const find = (selector) => card.querySelector(selector);
  const crop = find(".crop");
  crop.hidden = !read.crop;
  if (read.crop) crop.src = read.crop;
  const plate = find(".plate");
  plate.replaceChildren();
  if (read.hashed) {
    plate.append(element("span", "hashed", read.text.slice(0, 12) + "…"));
    plate.title = "only a keyed hash of this plate is kept";
  } else if (read.text === "") {
    plate.append(element("span", "unread", "plate not read"));
    plate.title = "the plate of this car was not read, or not found";
  } else {
    const told = (i) => (i < read.characters.length ? read.characters[i] : read.confidence);
    const characters = Array.from(read.text);
    plate.append(...characters.map((character, i) => element("span", grade(told(i)), character)));
    plate.title = characters.map((character, i) => character + " " + percent(told(i))).join("  ");
  }
  if (read.known) plate.append(element("span", "known", read.known));
  showCar(find(".car"), read.vehicle);
  find(".sure").hidden = read.text === "";
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

// What the car looks like: its colour as a spot, its name, and how likely each part of it is.
function showCar(line, vehicle) {
  line.hidden = !vehicle;
  line.replaceChildren();
  if (!vehicle) return;
  if (vehicle.colour) line.append(element("span", "spot " + colourClass(vehicle.colour)));
  line.append(element("span", "", vehicle.title));
  const parts = ["type", "colour", "make", "model"].filter((part) => vehicle[part]);
  line.title = parts.map((part) => part + " " + vehicle[part] + " " + percent(vehicle[part + "_confidence"])).join(", ");
}

function colourClass(colour) {
  return "spot-" + colour.toLowerCase().replace(/[^a-z]/g, "");
}

// Answers as JSON; a page whose key has gone asks for it again.
async function ask(url, options) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), ...options });
  if (answer.status === 401) {
    window.location.reload();
    throw new Error("the key is missing");
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.error || "the dashcam answered with status " + answer.status);
  return body;
}
