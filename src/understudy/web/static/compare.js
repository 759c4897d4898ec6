// Two films over each other, played in step; the slider says where one ends and the other begins.
function wire() {
  const [under, above] = element.querySelectorAll("video[data-film]");
  if (!under || !above || under.wired) return;
  under.wired = true;  // no attribute: those are taken away when another film is shown
  const edge = element.querySelector(".us-edge"), slider = element.querySelector("[data-part=share]");
  const play = element.querySelector("[data-part=play]"), place = element.querySelector("[data-part=time]");
  const part = () => {
    above.style.clipPath = `inset(0 0 0 ${slider.value}%)`;
    edge.style.left = `${slider.value}%`;
  };
  slider.addEventListener("input", part);
  part();
  const box = under.parentElement;
  const drag = (event) => {
    const place = box.getBoundingClientRect();
    slider.value = Math.max(0, Math.min(100, 100 * (event.clientX - place.left) / place.width));
    part();
  };
  box.addEventListener("pointerdown", (event) => { box.setPointerCapture(event.pointerId); drag(event); });
  box.addEventListener("pointermove", (event) => { if (event.buttons) drag(event); });
  play.addEventListener("click", () => {
    if (under.paused) { under.play(); above.play(); play.textContent = "Pause"; }
    else { under.pause(); above.pause(); play.textContent = "Play"; }
  });
  under.addEventListener("ended", () => { above.pause(); play.textContent = "Play"; });
  under.addEventListener("timeupdate", () => {
    if (Math.abs(above.currentTime - under.currentTime) > 0.08) above.currentTime = under.currentTime;
    if (under.duration) place.value = 1000 * under.currentTime / under.duration;
  });
  place.addEventListener("input", () => {
    under.currentTime = above.currentTime = place.value / 1000 * (under.duration || 0);
  });
}
wire();
watch("value", wire);
