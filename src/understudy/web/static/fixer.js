// The joint fixer: a picture with joints to take hold of, and a time line with the frames that the tracker doubts.
const LIMBS = [[5, 7], [7, 9], [6, 8], [8, 10], [5, 6], [11, 12], [5, 11], [6, 12], [11, 13], [13, 15], [12, 14], [14, 16],
  [15, 19], [15, 17], [16, 22], [16, 20], [0, 5], [0, 6]];
const find = (name) => element.querySelector(`[data-part="${name}"]`);
const stage = find("stage"), time = find("time"), slider = find("frame"), said = find("said"), history = find("history");
const pen = stage.getContext("2d"), line = time.getContext("2d");
let data = null, at = 0, joint = -1, from = null, to = null, held = null, playing = null, shownName = "", shownKind = "", loaded = null;
const pictures = new Map();

const colour = (point) => point > 4 ? (point % 2 ? "#38bdf8" : "#fb923c") : "#e7e5e4";
const scale = () => stage.width / data.size;

function picture(number) {
  const key = `${shownKind}/${shownName}/${number}`;
  if (!pictures.has(key)) {
    const image = new Image();
    image.onload = () => { if (number === at) draw(); };
    image.src = `/studio/frame/${shownKind}/${encodeURIComponent(shownName)}/${number}`;
    pictures.set(key, image);
    if (pictures.size > 120) pictures.delete(pictures.keys().next().value);
  }
  return pictures.get(key);
}

function draw() {
  if (!data) return;
  const image = picture(at), ratio = scale();
  pen.fillStyle = "#111";
  pen.fillRect(0, 0, stage.width, stage.height);
  if (image.complete && image.naturalWidth) pen.drawImage(image, 0, 0, stage.width, stage.height);
  const xy = data.xy[at], sure = data.sure[at];
  pen.lineWidth = 3;
  for (const [a, b] of LIMBS) {
    if (!(sure[a] > 0 && sure[b] > 0)) continue;
    pen.strokeStyle = colour(b);
    pen.globalAlpha = Math.max(0.3, Math.min(sure[a], sure[b]));
    pen.beginPath();
    pen.moveTo(xy[a][0] * ratio, xy[a][1] * ratio);
    pen.lineTo(xy[b][0] * ratio, xy[b][1] * ratio);
    pen.stroke();
  }
  pen.globalAlpha = 1;
  xy.forEach(([x, y], point) => {
    if (!(sure[point] > 0)) return;
    pen.fillStyle = colour(point);
    pen.beginPath();
    pen.arc(x * ratio, y * ratio, point === joint ? 8 : 4, 0, 7);
    pen.fill();
    if (point === joint) { pen.strokeStyle = "#fff"; pen.stroke(); }
  });
  strip();
}

function strip() {
  const across = (number) => number / Math.max(1, data.frames) * time.width;
  const wide = Math.max(2, time.width / data.frames);
  line.fillStyle = document.body.classList.contains("dark") ? "#44403c" : "#d6d3d1";
  line.fillRect(0, 0, time.width, time.height);
  line.fillStyle = "#dc2626";
  for (const one of data.doubts) line.fillRect(across(one.first), 0, wide * (one.last - one.first + 1), 16);
  line.fillStyle = "#16a34a";
  for (const one of data.fixed) line.fillRect(across(one), 18, wide, 8);
  if (from !== null) {
    line.fillStyle = "#2563eb";
    const end = to === null ? at : to;
    line.fillRect(across(Math.min(from, end)), 28, Math.max(3, across(Math.abs(end - from) + 1)), 6);
  }
  line.fillStyle = "#000";
  line.fillRect(across(at) - 2, 0, 5, time.height);
  line.fillStyle = "#fff";
  line.fillRect(across(at) - 1, 0, 3, time.height);
}

function tell(more) {
  if (!data) return;
  const doubt = data.doubts.find((one) => one.first <= at && at <= one.last);
  const words = [`Frame ${at} of ${data.frames - 1}, ${(at / data.fps).toFixed(2)} s`];
  if (joint >= 0) words.push(data.names[joint] + (data.sure[at][joint] > 0 ? "" : " (not seen here: click where it is)"));
  if (from !== null) words.push(`stretch ${from} to ${to === null ? "?" : to}`);
  if (doubt) words.push(doubt.reason);
  if (more) words.push(more);
  said.textContent = words.join(" · ");
}

function go(number, more) {
  if (!data) return;
  at = Math.max(0, Math.min(data.frames - 1, Math.round(number)));
  slider.value = at;
  for (const next of [at + 1, at + 2]) if (next < data.frames) picture(next);
  draw();
  tell(more);
}

function clear() {  // it was deleted, here or elsewhere
  data = null;
  shownKind = shownName = "";
  moving = held = null;
  pen.clearRect(0, 0, stage.width, stage.height);
  line.clearRect(0, 0, time.width, time.height);
  history.replaceChildren();
  said.textContent = "Choose a dance or a person above.";
}

async function load() {
  if (props.value === loaded) return;
  loaded = props.value;
  const [kind, name] = String(loaded || "").split("\n");
  if (!name) { clear(); return; }
  const other = kind !== shownKind || name !== shownName;
  const answer = await fetch(`/studio/poses/${kind}/${encodeURIComponent(name)}`);
  if (!answer.ok) { said.textContent = await answer.text(); return; }
  data = await answer.json();
  shownKind = kind; shownName = name;
  if (other) { from = to = null; joint = -1; stage.width = stage.height = Math.max(512, data.size); }
  slider.max = data.frames - 1;
  history.replaceChildren(...data.history.map((one) => {
    const item = document.createElement("li");
    item.textContent = one.said;
    if (!one.made) item.className = "us-undone";
    return item;
  }));
  go(other ? (data.doubts.length ? data.doubts[0].first : 0) : at,
    other ? data.doubts.length === 1 ? "1 stretch deserves a look (red)" : `${data.doubts.length} stretches deserve a look (red)` : "");
}

const ask = (what) => trigger("edit", { kind: shownKind, name: shownName, ...what });
const stretch = () => from === null ? [at, at] : [Math.min(from, to === null ? at : to), Math.max(from, to === null ? at : to)];

const within = (along) => Math.max(0, Math.min(data.size - 1, along));
function move(x, y) {  // a joint stays in the picture, wherever the finger goes
  data.xy[at][joint] = [within(x), within(y)];
  data.sure[at][joint] = 1;
  draw();
}
function place(event) {
  const box = stage.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * data.size, (event.clientY - box.top) / box.height * data.size];
}
stage.addEventListener("pointerdown", (event) => {
  if (!data) return;
  settle();
  const [x, y] = place(event);
  if (joint >= 0 && !(data.sure[at][joint] > 0)) {  // chosen, and nowhere in this frame yet
    held = { moved: true };
    stage.setPointerCapture(event.pointerId);
    move(x, y);
    return;
  }
  const far = data.xy[at].map(([u, v], point) => data.sure[at][point] > 0 ? Math.hypot(u - x, v - y) : Infinity);
  const nearest = far.indexOf(Math.min(...far));
  if (far[nearest] > data.size / 16) { joint = -1; draw(); tell(); return; }
  joint = nearest;
  held = { moved: false };
  stage.setPointerCapture(event.pointerId);
  draw(); tell();
});
stage.addEventListener("pointermove", (event) => {
  if (!data || !held || joint < 0) return;
  held.moved = true;
  move(...place(event));
});
stage.addEventListener("pointerup", () => {
  if (held && held.moved) ask({ act: "move", frame: at, point: joint, x: data.xy[at][joint][0], y: data.xy[at][joint][1] });
  held = null;
});
let late = null, moving = null;
function settle() {  // what keys have moved is told before anything else is done
  clearTimeout(late);
  const what = moving;
  moving = null;
  if (what) ask(what);
}
function nudge(dx, dy) {
  if (moving && (moving.frame !== at || moving.point !== joint)) settle();
  const [x, y] = data.xy[at][joint];
  move(x + dx, y + dy);
  moving = { act: "move", frame: at, point: joint, x: data.xy[at][joint][0], y: data.xy[at][joint][1] };
  clearTimeout(late);
  late = setTimeout(settle, 600);
}
stage.addEventListener("keydown", (event) => {
  if (!data) return;
  const far = event.shiftKey ? 10 : 1, steps = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] };
  if (event.key in steps && joint >= 0) nudge(...steps[event.key]);
  else if (event.key === "]") { joint = (joint + 1) % data.names.length; draw(); tell(); }
  else if (event.key === "[") { joint = (joint + data.names.length) % (data.names.length + 1) - 1; if (joint < 0) joint = data.names.length - 1; draw(); tell(); }
  else if (event.key === "Enter" && joint >= 0 && !(data.sure[at][joint] > 0)) { move(data.size / 2, data.size / 2); nudge(0, 0); }
  else if (event.key === ",") go(at - 1);
  else if (event.key === ".") go(at + 1);
  else if (event.key === "Delete") act("delete");
  else return;
  event.preventDefault();
});

function act(what) {
  if (!data) return;
  settle();
  const [first, last] = stretch();
  if (what === "before") go(at - 1);
  else if (what === "after") go(at + 1);
  else if (what === "doubt") {
    const next = data.doubts.find((one) => one.first > at) || data.doubts[0];
    if (!next) { tell("nothing deserves a look"); return; }
    from = next.first; to = next.last;
    const known = next.points.filter((one) => one < data.names.length);
    joint = known.find((one) => !(data.sure[next.first][one] > 0)) ?? known[0] ?? -1;
    go(next.first);
  }
  else if (what === "play") {
    const button = element.querySelector('[data-act="play"]');
    if (playing) { clearInterval(playing); playing = null; button.textContent = "Play"; return; }
    button.textContent = "Pause";
    playing = setInterval(() => go(at + 1 < data.frames ? at + 1 : 0), 1000 / data.fps);
  }
  else if (what === "from") { from = at; if (to !== null && to < from) to = null; draw(); tell(); }
  else if (what === "to") { to = at; if (from === null) from = at; draw(); tell(); }
  else if (what === "undo" || what === "redo") ask({ act: what });
  else if (what === "arms" || what === "legs" || what === "all") ask({ act: "exchange", which: what, first, last });
  else if (joint < 0) tell("choose a joint first: click on it");
  else ask({ act: what, points: [joint], first, last });
}
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (button) act(button.dataset.act);
});
slider.addEventListener("input", () => go(Number(slider.value)));
time.addEventListener("click", (event) => {
  if (!data) return;
  const box = time.getBoundingClientRect();
  go((event.clientX - box.left) / box.width * data.frames);
});
watch("value", load);
load();
