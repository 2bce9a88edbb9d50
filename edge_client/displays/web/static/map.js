"use strict";

// A map without a map: the track of a drive and the places of reads, on a plane with north up and a scale.
// Positions are projected equirectangularly around their middle, which over a drive of 100 km is right to 1 in 1000.

const SVG = "http://www.w3.org/2000/svg";
const METRES_PER_DEGREE = 111195;
const MARGIN_PX = 36;
const SMALLEST_M = 60;
const FARTHEST = 4;
const CLOSEST = 400;

const chart = { segments: [], reads: [], chosen: "", zoom: 1, shift: [0, 0], onChoose: () => {} };

function shape(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// A round length that takes up to a third of the width: 1, 2 or 5 times a power of ten, in metres.
function roundLength(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [5, 2, 1].map((factor) => factor * power).find((length) => length <= most) ?? power;
}

function lengthText(metres) {
  if (metres >= 1000) return (metres / 1000).toLocaleString([], { maximumFractionDigits: 1 }) + " km";
  return Math.round(metres) + " m";
}

function trackLength(segments) {
  let sum = 0;
  for (const points of segments) {
    for (let i = 1; i < points.length; i++) {
      const [a, b] = [points[i - 1], points[i]];
      const across = (b[1] - a[1]) * Math.cos((a[0] * Math.PI) / 180);
      sum += Math.hypot(b[0] - a[0], across) * METRES_PER_DEGREE;
    }
  }
  return sum;
}

// Turns degrees into pixels of the view: fitted to what there is to see, then zoomed and shifted.
function projection(width, height) {
  const places = [...chart.segments.flat(), ...chart.reads.map((read) => [read.latitude, read.longitude])];
  let [south, north, west, east] = [90, -90, 180, -180];
  for (const [latitude, longitude] of places) {
    south = Math.min(south, latitude);
    north = Math.max(north, latitude);
    west = Math.min(west, longitude);
    east = Math.max(east, longitude);
  }
  const middle = [(south + north) / 2, (west + east) / 2];
  const squeeze = Math.cos((middle[0] * Math.PI) / 180);
  const across = Math.max((east - west) * squeeze * METRES_PER_DEGREE, SMALLEST_M);
  const down = Math.max((north - south) * METRES_PER_DEGREE, SMALLEST_M);
  const fitted = Math.min((width - 2 * MARGIN_PX) / across, (height - 2 * MARGIN_PX) / down);
  const scale = Math.max(fitted, 1e-6) * chart.zoom; // pixels per metre
  const project = (latitude, longitude) => [
    width / 2 + chart.shift[0] + (longitude - middle[1]) * squeeze * METRES_PER_DEGREE * scale,
    height / 2 + chart.shift[1] - (latitude - middle[0]) * METRES_PER_DEGREE * scale,
  ];
  return { project, scale };
}

function drawMap() {
  const map = byId("map");
  const { width, height } = map.getBoundingClientRect();
  const nothing = chart.segments.length === 0 && chart.reads.length === 0;
  byId("no-track").hidden = !nothing;
  if (nothing || width < 10 || height < 10) {
    map.replaceChildren();
    return;
  }
  map.setAttribute("viewBox", "0 0 " + width + " " + height);
  const { project, scale } = projection(width, height);
  const drawn = [];
  const pixels = (point) => project(...point).map((x) => x.toFixed(1)).join(",");
  const lines = chart.segments.map((points) => points.map(pixels).join(" "));
  for (const kind of ["track-edge", "track"]) {
    drawn.push(...lines.map((points) => shape("polyline", { class: kind, points })));
  }
  if (chart.segments.length) {
    const [begin, end] = [project(...chart.segments[0][0]), project(...chart.segments.at(-1).at(-1))];
    drawn.push(shape("circle", { class: "begin", cx: begin[0], cy: begin[1], r: 6 }));
    drawn.push(shape("circle", { class: "end", cx: end[0], cy: end[1], r: 6 }));
  }
  const ordered = [...chart.reads].sort((a, b) => (a.uid === chart.chosen) - (b.uid === chart.chosen));
  for (const read of ordered) {
    const [x, y] = project(read.latitude, read.longitude);
    const chosen = read.uid === chart.chosen;
    const mark = shape("g", { class: chosen ? "mark chosen" : "mark", transform: "translate(" + x.toFixed(1) + " " + y.toFixed(1) + ")" });
    mark.append(shape("circle", { class: "touch", r: 16 }), shape("circle", { r: chosen ? 8 : 6 }));
    const name = read.text || (read.vehicle ? read.vehicle.title : "");
    if (chosen) mark.append(shape("text", { y: -14, "text-anchor": "middle" }, name));
    mark.append(shape("title", {}, name));
    mark.addEventListener("click", () => chart.onChoose(read.uid));
    drawn.push(mark);
  }
  drawn.push(scaleBar(height, width / 3 / scale, scale), north(width));
  map.replaceChildren(...drawn);
}

function scaleBar(height, most, scale) {
  const metres = roundLength(most);
  const length = metres * scale;
  const bar = shape("g", { class: "scale", transform: "translate(14 " + (height - 16) + ")" });
  bar.append(shape("path", { d: "M0 -6V0H" + length.toFixed(1) + "V-6" }), shape("text", { x: 4, y: -9 }, lengthText(metres)));
  return bar;
}

function north(width) {
  const sign = shape("g", { class: "north", transform: "translate(" + (width - 26) + " 26)" });
  sign.append(shape("path", { d: "M0 -14L8 10L0 4L-8 10Z" }), shape("text", { y: 24, "text-anchor": "middle" }, "N"));
  return sign;
}

function showAll() {
  chart.zoom = 1;
  chart.shift = [0, 0];
  drawMap();
}

function zoomBy(factor, x, y) {
  const map = byId("map").getBoundingClientRect();
  const before = chart.zoom;
  chart.zoom = Math.min(CLOSEST, Math.max(1 / FARTHEST, chart.zoom * factor));
  const grown = chart.zoom / before;
  const [dx, dy] = [(x ?? map.width / 2) - map.width / 2, (y ?? map.height / 2) - map.height / 2];
  chart.shift = [dx + (chart.shift[0] - dx) * grown, dy + (chart.shift[1] - dy) * grown];
  drawMap();
}

function listenToMap() {
  const map = byId("map");
  const fingers = new Map(); // pointer -> its last place
  const spread = () => {
    const [a, b] = [...fingers.values()];
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  };
  map.addEventListener("pointerdown", (event) => fingers.set(event.pointerId, [event.clientX, event.clientY]));
  map.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const apart = fingers.size === 2 ? spread() : 0;
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (fingers.size === 1) {
      chart.shift = [chart.shift[0] + event.clientX - before[0], chart.shift[1] + event.clientY - before[1]];
      drawMap();
    } else if (apart > 0) {
      zoomBy(spread() / apart);
    }
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
    map.addEventListener(end, (event) => fingers.delete(event.pointerId));
  }
  map.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = map.getBoundingClientRect();
    zoomBy(event.deltaY < 0 ? 1.25 : 0.8, event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  byId("closer").addEventListener("click", () => zoomBy(1.6));
  byId("farther").addEventListener("click", () => zoomBy(1 / 1.6));
  byId("all").addEventListener("click", showAll);
  new ResizeObserver(drawMap).observe(map);
}
listenToMap();
