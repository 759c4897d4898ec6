// A list whose buttons say what they are for: <button data-do="stop" data-number="7">. Focus survives a change.
const keyOf = (one) => one && one.dataset ? JSON.stringify(one.dataset) : "";
let focused = "";
element.addEventListener("focusin", (event) => { focused = keyOf(event.target.closest("[data-do]")); });
element.addEventListener("focusout", (event) => { if (event.relatedTarget) focused = ""; });
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (!button || button.disabled) return;
  if (button.dataset.ask && !window.confirm(button.dataset.ask)) return;
  trigger("click", { ...button.dataset });
});
watch("value", () => {
  if (!focused) return;
  const again = [...element.querySelectorAll("[data-do]")].find((one) => keyOf(one) === focused);
  if (again) again.focus();
  else {  // what stands there now is another button: Enter must not press it
    element.tabIndex = -1;
    element.focus();
  }
});
