"use strict";

// The list view: search of all reads, page by page, their places on the map, downloads of what was found.

let page = 1;
let opened = false;
const found = new Map(); // uid -> {element, read}

// What the form asks for, as the server wants it: times with their zone.
function wanted() {
  const fields = new FormData(byId("search"));
  const query = new URLSearchParams();
  for (const name of ["plate", "colour", "make", "model", "type", "near"]) {
    const value = fields.get(name).trim();
    if (value) query.set(name, value);
  }
  for (const name of ["since", "until"]) {
    const value = fields.get(name);
    if (value) query.set(name, new Date(value).toISOString());
  }
  return query;
}

function choose(uid) {
  chart.chosen = chart.chosen === uid ? "" : uid;
  for (const [other, { element: card }] of found) card.classList.toggle("chosen", other === chart.chosen);
  found.get(chart.chosen)?.element.scrollIntoView({ block: "nearest" });
  drawMap();
}

function foundCard(read) {
  const card = newCard();
  fillCard(card, read);
  card.querySelector(".ago").textContent = new Date(read.last_seen).toLocaleDateString();
  if (read.speed_mps !== null) {
    card.querySelector(".where").append(element("span", "speed", Math.round(read.speed_mps * 3.6) + " km/h"));
  }
  if (read.latitude !== null) {
    const button = element("button", "on-map", "map");
    button.type = "button";
    button.title = "Show it on the map";
    button.addEventListener("click", () => choose(read.uid));
    card.querySelector(".where").append(button);
  }
  return card;
}

function tell(problem) {
  byId("problem").textContent = problem;
  byId("problem").hidden = problem === "";
}

async function search(wish) {
  const query = wanted();
  for (const link of document.querySelectorAll("#exports a")) {
    link.href = "/export/reads." + link.dataset.format + "?" + query;
  }
  try {
    const answer = await ask("/api/reads?" + new URLSearchParams([...query, ["page", wish]]));
    page = answer.page;
    found.clear();
    for (const read of answer.reads) found.set(read.uid, { element: foundCard(read), read });
    byId("found").replaceChildren(...[...found.values()].map((entry) => entry.element));
    byId("nothing").hidden = found.size > 0;
    byId("newer").disabled = page <= 1;
    byId("older").disabled = !answer.more;
    const first = (page - 1) * answer.page_size + 1;
    byId("found-count").textContent = found.size ? first + " to " + (first + found.size - 1) + (answer.more ? ", and more" : "") : "";
    chart.reads = answer.reads.filter((read) => read.latitude !== null);
    chart.chosen = "";
    tell("");
    showAll();
  } catch (problem) {
    tell(problem.message);
  }
}

function driveText(drive) {
  const begun = new Date(drive.started).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return drive.source ? begun + ", " + drive.source : begun;
}

async function showTrack(uid) {
  try {
    const answer = await ask("/api/track" + (uid ? "?drive=" + encodeURIComponent(uid) : ""));
    const options = answer.drives.map((drive) => new Option(driveText(drive), drive.uid, false, drive.uid === answer.drive));
    byId("drives").replaceChildren(...options);
    byId("drives").hidden = options.length === 0;
    chart.segments = answer.segments;
    byId("drive-length").textContent = answer.segments.length ? lengthText(trackLength(answer.segments)) : "";
    showAll();
  } catch (problem) {
    tell(problem.message);
  }
}

function openList() {
  if (window.location.hash !== "#list" || opened) return;
  opened = true;
  search(1);
  showTrack("");
}

chart.onChoose = choose;
byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  search(1);
});
byId("search").addEventListener("reset", () => window.setTimeout(() => search(1)));
byId("newer").addEventListener("click", () => search(page - 1));
byId("older").addEventListener("click", () => search(page + 1));
byId("drives").addEventListener("change", () => showTrack(byId("drives").value));
window.addEventListener("hashchange", () => {
  if (window.location.hash !== "#list") opened = false; // fresh when it is opened again
  openList();
});
openList();
