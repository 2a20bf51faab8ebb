"use strict";
// The timeline of a run. x is the run's iteration: iteration i lies between i - 1 and i, its events
// side by side. What is shown is text and numbers; nothing of it becomes markup.
const shown = JSON.parse(document.getElementById("shown").textContent);
const PLACES = {
  STARTED: -0.2, EPOCH_STARTED: 0.05, GET_BATCH_STARTED: 0.2, DATALOADER_STOP_ITERATION: 0.3,
  GET_BATCH_COMPLETED: 0.4, ITERATION_STARTED: -0.4, ITERATION_COMPLETED: -0.2,
  EPOCH_COMPLETED: -0.05, COMPLETED: 0.2,
};
const [begin, end] = shown.run.iterations;
const EDGE = Math.max(0.5, (end - begin) / 80);
const WHOLE = [begin - EDGE, end + EDGE];
const LEAST = 2; // iterations that can fill the width
let view = [...WHOLE];
const rows = [];

const byId = (id) => document.getElementById(id);
const number = (n) => n.toLocaleString("en");
const clamp = (n, low, high) => Math.min(Math.max(n, low), high);
const counted = (n, one, many) => `${number(n)} ${n === 1 ? one : many}`;

function element(kind, className, text) {
  const made = document.createElement(kind);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// A stripe is [first x, times, distance]: the firings of an event, or those at some of its counts.
function stripes(event, calls) {
  const place = PLACES[event.event] ?? 0;
  const found = [];
  for (const [count, iteration, times, distance] of event.spans) {
    const last = count + times - 1;
    for (const [from, to, step] of calls ?? [[count, last, 1]]) {
      const first = from >= count ? from : from + Math.ceil((count - from) / step) * step;
      const number = Math.floor((Math.min(to, last) - first) / step) + 1;
      if (number > 0)
        found.push([iteration + (first - count) * distance + place, number, step * distance]);
    }
  }
  return found;
}

// How many of a stripe lie below x.
function below([first, times, distance], x) {
  if (x <= first) return 0;
  return distance ? Math.min(times, Math.ceil((x - first) / distance)) : times;
}
const within = (some, low, high) =>
  some.reduce((sum, stripe) => sum + below(stripe, high) - below(stripe, low), 0);

const epochStripes = stripes(shown.events.find((event) => event.event === "EPOCH_STARTED"));
const epochAt = (x) => shown.run.epochs[0] + within(epochStripes, -Infinity, x);
const iterationAt = (x) => clamp(Math.floor(x) + 1, Math.min(begin + 1, end), end);
const between = (one, many, from, to) =>
  from === to ? `${one} ${number(from)}` : `${many} ${number(from)} to ${number(to)}`;

function addRow(kind, label, row) {
  const line = element("div", `row ${kind}`);
  const canvas = element("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", row.title);
  line.append(label, canvas);
  byId("timeline").append(line);
  rows.push({ ...row, canvas });
}

function addEvent(event) {
  const label = element("div", "label");
  label.append(element("span", "name", event.event));
  const fired = event.only_when_fired ? "" : counted(event.firings, "firing", "firings");
  label.append(element("small", "number", fired || "only when fired"));
  const title = `${event.event}: ${fired || "only when fired"}`;
  addRow("event", label, { title, color: "--fires", stripes: stripes(event) });
  for (const handler of event.handlers) addHandler(event, handler);
}

function nameOf(handler) {
  return handler.handler + (handler.filter ? ` ${handler.filter}` : "");
}

function addHandler(event, handler) {
  const label = element("div", "label");
  const name = element("span", "name", nameOf(handler));
  const where = handler.file ? `\n${handler.file}:${handler.line}` : "";
  const plugin = handler.plugin ? `\n${handler.plugin} ${handler.version}` : "";
  label.title = `${handler.module}.${nameOf(handler)}${plugin}${where}`;
  label.append(element("span", "phase", handler.phase), name);
  const dead = { never: "never", "only when fired": "demand" }[handler.mark];
  if (dead) {
    label.append(element("b", `number mark ${dead}`, handler.mark));
    list(dead, event, handler);
  } else {
    const perhaps = handler.mark === "perhaps" ? "perhaps " : "";
    label.append(element("small", "number", perhaps + counted(handler.number, "call", "calls")));
  }
  addRow(`handler ${dead ?? ""}`, label, {
    title: `${nameOf(handler)} at ${event.event}: ${dead ? handler.mark : `${handler.number} calls`}`,
    color: handler.mark === "perhaps" ? "--perhaps" : "--called",
    hollow: handler.mark === "perhaps",
    stripes: stripes(event, handler.calls),
    handler: nameOf(handler),
  });
}

function list(id, event, handler) {
  const item = element("li");
  item.append(element("code", "", nameOf(handler)), ` at ${event.event} `);
  const plugin = handler.plugin ? `${handler.plugin} ${handler.version}, ` : "";
  const where = handler.file ? `${handler.file}:${handler.line}` : handler.module;
  item.append(element("small", "", plugin + where));
  byId(id).hidden = false;
  byId(id).querySelector("ul").append(item);
}

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const scale = (width) => width / (view[1] - view[0]);

function prepared(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const dots = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * dots);
  canvas.height = Math.round(height * dots);
  const pen = canvas.getContext("2d");
  pen.scale(dots, dots);
  return { pen, width, height };
}

// Single marks where they have room, and what falls on each pixel where they have not.
function drawRow(row) {
  const { pen, width, height } = prepared(row.canvas);
  const perX = scale(width);
  drawEpochs(pen, width, height);
  pen.fillStyle = pen.strokeStyle = color(row.color);
  const top = row.handler ? 5 : 9;
  const room = row.handler ? 3 : 2;
  const crowded = within(row.stripes, ...view) > width / (room + 2);
  if (!crowded) {
    const wide = clamp(perX * 0.08, room, 9);
    for (const [first, times, distance] of row.stripes) {
      const from = below([first, times, distance], view[0] - wide / perX);
      const to = below([first, times, distance], view[1] + wide / perX);
      for (let k = from; k < to; k++) {
        const x = (first + k * distance - view[0]) * perX - wide / 2;
        if (row.hollow) pen.strokeRect(x + 0.5, top + 0.5, wide, height - 2 * top - 1);
        else pen.fillRect(x, top, wide, height - 2 * top);
      }
    }
    return;
  }
  for (let px = 0; px < width; px++) {
    const n = within(row.stripes, view[0] + px / perX, view[0] + (px + 1) / perX);
    if (!n) continue;
    pen.globalAlpha = 0.35 + 0.65 * Math.min(1, perX < 1 ? n * perX : 1); // calls an iteration
    pen.fillRect(px, top, 1, height - 2 * top);
  }
  pen.globalAlpha = 1;
}

function drawEpochs(pen, width, height) {
  const perX = scale(width);
  if (within(epochStripes, ...view) > width / 12) return;
  pen.fillStyle = color("--epoch");
  pen.globalAlpha = 0.55;
  for (const x of epochsIn(view)) pen.fillRect((x - view[0]) * perX, 0, 1, height);
  pen.globalAlpha = 1;
}

function* epochsIn([low, high]) {
  for (const stripe of epochStripes) {
    const [first, , distance] = stripe;
    for (let k = below(stripe, low); k < below(stripe, high); k++)
      yield Math.floor(first + k * distance);
  }
}

function drawAxis(canvas) {
  const { pen, width, height } = prepared(canvas);
  const perX = scale(width);
  drawEpochs(pen, width, height);
  pen.font = "12px system-ui, sans-serif";
  pen.textBaseline = "middle";
  pen.fillStyle = color("--epoch");
  const few = within(epochStripes, ...view) <= width / 12;
  const places = few ? [...epochsIn(view)] : [];
  if (few && epochAt(view[0]) > shown.run.epochs[0]) places.unshift(view[0]);
  places.forEach((x, index) => {
    const at = (x - view[0]) * perX + 4;
    const text = `epoch ${number(epochAt(x + (x > view[0] ? 0.5 : 0)))}`;
    const room = index + 1 < places.length ? (places[index + 1] - x) * perX : Infinity;
    if (pen.measureText(text).width + 8 < room) pen.fillText(text, at, 10);
  });
  if (!few) pen.fillText(between("epoch", "epochs", ...epochsShown()), 4, 10);
  pen.fillStyle = color("--soft");
  pen.textAlign = "center";
  const step = niceStep((view[1] - view[0]) / Math.max(2, width / 80));
  for (let i = Math.max(step, Math.ceil(view[0] / step) * step); i < view[1] + 1; i += step) {
    if (i <= begin || i > end) continue;
    const half = pen.measureText(number(i)).width / 2 + 4;
    pen.fillText(number(i), clamp((i - 0.5 - view[0]) * perX, half, width - half), 28);
  }
}

function niceStep(least) {
  for (let ten = 1; ; ten *= 10)
    for (const step of [ten, 2 * ten, 5 * ten]) if (step >= least) return step;
}

const epochsShown = () => [Math.max(1, epochAt(view[0])), Math.max(1, epochAt(view[1]))];

function draw() {
  for (const row of rows) row.axis ? drawAxis(row.canvas) : drawRow(row);
  const from = iterationAt(view[0] + 1e-6);
  const to = iterationAt(view[1] - 1e-6);
  const epochs = between("epoch", "epochs", ...epochsShown());
  byId("view").value = `${between("iteration", "iterations", from, to)}, ${epochs}`;
}

// Show `factor` times as much, with what is at x kept in its place.
function zoom(factor, x = (view[0] + view[1]) / 2) {
  const whole = WHOLE[1] - WHOLE[0];
  const wide = clamp((view[1] - view[0]) * factor, Math.min(LEAST, whole), whole);
  move(x - ((x - view[0]) * wide) / (view[1] - view[0]), wide);
}

function move(low, wide = view[1] - view[0]) {
  const from = clamp(low, WHOLE[0], WHOLE[1] - wide);
  view = [from, from + wide];
  requestAnimationFrame(draw);
}

function told(row, x, reach) {
  const n = row.axis ? 0 : within(row.stripes, x - reach, x + reach);
  const where = `${between("iteration", "iterations", iterationAt(x - reach), iterationAt(x + reach))}`
    + `, ${between("epoch", "epochs", Math.max(1, epochAt(x - reach)), Math.max(1, epochAt(x + reach)))}`;
  if (!n) return `iteration ${number(iterationAt(x))}, epoch ${number(Math.max(1, epochAt(x)))}`;
  const what = row.handler
    ? counted(n, row.hollow ? "possible call" : "call", row.hollow ? "possible calls" : "calls")
    : counted(n, "firing", "firings");
  return `${row.handler ?? row.title.split(":")[0]}: ${what}\n${where}`;
}

function listen() {
  const area = byId("timeline");
  const rowOf = (event) => rows.find((row) => row.canvas === event.target);
  const xOf = (event) => view[0] + event.offsetX / scale(event.target.clientWidth);
  let held = null;
  area.addEventListener("pointerdown", (event) => {
    if (rowOf(event)) held = { at: event.clientX, low: view[0], width: event.target.clientWidth };
  });
  window.addEventListener("pointerup", () => { held = null; });
  window.addEventListener("pointermove", (event) => {
    if (held) move(held.low - (event.clientX - held.at) / scale(held.width));
    const row = rowOf(event);
    const tip = byId("tip");
    tip.hidden = !row;
    if (!row) return;
    tip.textContent = told(row, xOf(event), 2.5 / scale(event.target.clientWidth));
    tip.style.left = `${Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.clientY + 16, window.innerHeight - tip.offsetHeight - 8)}px`;
  });
  area.addEventListener("dblclick", (event) => { if (rowOf(event)) zoom(0.4, xOf(event)); });
  area.addEventListener("wheel", (event) => {
    const row = rowOf(event);
    if (!row || !(event.ctrlKey || event.metaKey || row.axis)) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, xOf(event));
  }, { passive: false });
  const wide = () => view[1] - view[0];
  const keys = {
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => zoom(Infinity),
    ArrowLeft: () => move(view[0] - wide() / 5), ArrowRight: () => move(view[0] + wide() / 5),
  };
  area.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  byId("in").addEventListener("click", keys["+"]);
  byId("out").addEventListener("click", keys["-"]);
  byId("whole").addEventListener("click", keys[0]);
  window.addEventListener("resize", () => requestAnimationFrame(draw));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

const corner = element("div", "label");
corner.append(element("small", "", "epoch and iteration"));
addRow("axis", corner, { title: "axis", axis: true, stripes: [] });
for (const event of shown.events) if (event.firings || event.handlers.length) addEvent(event);
listen();
draw();
