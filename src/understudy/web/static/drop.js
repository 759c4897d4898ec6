// Takes a file by choosing, dropping or recording, sends it, and tells what the server calls it.
const find = (name) => element.querySelector(`[data-part="${name}"]`);
const box = find("box"), input = find("input"), said = find("said"), bar = find("bar"), shown = find("shown");
const record = find("record"), choose = find("choose");
let request = null, last = "", recorder = null, stream = null, clock = null;

const say = (text, bad) => { said.textContent = text; said.className = bad ? "us-bad" : "us-quiet"; };
const progress = (share) => {
  bar.hidden = share === null;
  if (share !== null) bar.firstElementChild.style.width = `${Math.round(100 * share)}%`;
};
const show = (file) => {
  shown.replaceChildren();
  const picture = document.createElement(file.type.startsWith("image/") ? "img" : "video");
  picture.src = URL.createObjectURL(file);
  if (picture.tagName === "VIDEO") { picture.controls = true; picture.muted = true; picture.playsInline = true; }
  else picture.alt = "The chosen photograph";
  shown.append(picture);
};

// Pointing at one of several people: the next click on the picture says who is meant, in this frame.
const point = find("point");
let mark = null;
const free = () => {
  if (mark) { mark.remove(); mark = null; trigger("select", {}); }
  if (point) { point.hidden = true; point.textContent = "Several people? Point at the one"; }
};
if (point) point.addEventListener("click", () => {
  const video = shown.querySelector("video");
  if (!video) return;
  video.pause();
  video.controls = false;
  say("Click on the person. Another frame? Play the clip to it first.");
  video.addEventListener("click", (event) => {
    const box = video.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
    video.controls = true;
    if (mark) mark.remove();
    mark = document.createElement("i");
    mark.className = "us-mark";
    mark.style.left = `${video.offsetLeft + x * box.width}px`;
    mark.style.top = `${video.offsetTop + y * box.height}px`;
    shown.append(mark);
    point.textContent = "Point at somebody else";
    say("Whoever is there is followed, past all the others.");
    trigger("select", { x, y, seconds: video.currentTime });
  }, { once: true });
});

function none() {  // a button that is pressed now has no file; what came before is not what is shown any more, either
  trigger("upload", { token: "", name: "", instead: last });
  last = "";
}
function lost(why) { say(why, true); none(); }

function send(file, name) {
  if (request) request.abort();
  free();
  if (last) none();
  show(file);
  if (point) point.hidden = file.type.startsWith("image/");
  request = new XMLHttpRequest();
  request.open("PUT", `/studio/upload?name=${encodeURIComponent(name)}`);
  request.upload.onprogress = (event) => {
    if (!event.lengthComputable) return;
    progress(event.loaded / event.total);
    say(`${name}: ${(event.loaded / 1e6).toFixed(0)} of ${(event.total / 1e6).toFixed(0)} MB`);
  };
  request.onload = () => {
    progress(null);
    if (request.status !== 200) { lost(request.responseText || "it was refused"); return; }
    say(`${name} is here.`);
    trigger("upload", { token: JSON.parse(request.responseText).token, name, instead: last });
    last = name;
  };
  request.onerror = () => { progress(null); lost("the studio does not answer: is it still running?"); };
  progress(0);
  say(name);
  request.send(file);
}

choose.addEventListener("click", () => input.click());
input.addEventListener("change", () => { if (input.files.length) bring(input.files[0]); input.value = ""; });
box.addEventListener("dragover", (event) => { event.preventDefault(); box.classList.add("us-over"); });
box.addEventListener("dragleave", () => box.classList.remove("us-over"));
box.addEventListener("drop", (event) => {
  event.preventDefault();
  box.classList.remove("us-over");
  if (event.dataTransfer.files.length) bring(event.dataTransfer.files[0]);
});

let take = 0;  // which recording it is: one that was left off goes no further
async function begin() {
  const mine = ++take;
  let opened;
  try {
    opened = await navigator.mediaDevices.getUserMedia({
      video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } }, audio: false });
  } catch (error) { say(`the camera cannot be used (${error.message || error.name})`, true); return; }
  if (mine !== take) { opened.getTracks().forEach((track) => track.stop()); return; }
  stream = opened;
  const live = document.createElement("video");
  live.muted = true; live.playsInline = true; live.autoplay = true; live.srcObject = stream;
  shown.replaceChildren(live);
  record.textContent = "Stop";
  for (let left = 5; left > 0 && mine === take; left--) {
    say(`Step back until all of you is seen: ${left}`);
    await new Promise((done) => setTimeout(done, 1000));
  }
  if (mine !== take) return;
  const kind = ["video/webm;codecs=vp9", "video/webm", "video/mp4"].find((one) => MediaRecorder.isTypeSupported(one));
  const made = recorder = new MediaRecorder(stream, kind ? { mimeType: kind, videoBitsPerSecond: 8e6 } : {});
  const parts = [], began = Date.now();
  made.ondataavailable = (event) => parts.push(event.data);
  made.onstop = () => {
    if (made === dropped) return;
    if (made === recorder) end();  // the camera was taken away
    const type = made.mimeType.split(";")[0];
    send(new Blob(parts, { type }), type === "video/mp4" ? "recording.mp4" : "recording.webm");
  };
  made.start(1000);
  clock = setInterval(() => say(`recording, ${Math.round((Date.now() - began) / 1000)} s: turn, lift your arms, walk`), 500);
}
let dropped = null;
function end(kept = true) {
  take++;
  clearInterval(clock);
  record.textContent = "Record with the camera";
  const made = recorder;
  recorder = null;
  if (!kept) dropped = made;
  if (made && made.state !== "inactive") made.stop();
  if (stream) stream.getTracks().forEach((track) => track.stop());
  stream = null;
  say("");
  if (!made) shown.replaceChildren();
}
function bring(file) {  // instead of what is being recorded, if anything is
  if (stream) end(false);
  send(file, file.name);
}
if (record) {
  if (!navigator.mediaDevices || !window.MediaRecorder) record.hidden = true;
  record.addEventListener("click", () => { if (stream) end(); else begin(); });
}

// The server sets another value when it has taken the file: the field is free for the next one.
watch("value", () => { mark = null; free(); shown.replaceChildren(); say(""); progress(null); last = ""; });
