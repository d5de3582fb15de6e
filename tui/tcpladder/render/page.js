"use strict";
const details = JSON.parse(document.getElementById("details").textContent);
const rows = [...document.querySelectorAll("main .row")];
const flows = [...document.querySelectorAll("main section")];
const panel = document.getElementById("panel");
const intro = panel.innerHTML;
const root = document.documentElement;
let current = -1;

const place = (row) => [flows.indexOf(row.closest("section")), Number(row.dataset.row)];
const detailOf = (row) => { const [flow, number] = place(row); return details[flow][number]; };

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function show(row) {
  const detail = detailOf(row);
  const list = document.createElement("dl");
  for (const [name, value] of detail.fields) list.append(element("dt", name), element("dd", value));
  panel.replaceChildren(element("h2", detail.title), element("p", detail.sentence), list);
  if (detail.armed !== null) {
    const go = element("button", "what armed it (Enter)");
    go.addEventListener("click", () => armed(row));
    panel.append(go);
  }
}

function select(index, scroll = true) {
  if (!rows.length) return;
  if (current >= 0) rows[current].classList.remove("current");
  current = Math.max(0, Math.min(rows.length - 1, index));
  const row = rows[current];
  row.classList.add("current");
  row.focus({ preventScroll: true });
  if (scroll) row.scrollIntoView({ block: "nearest" });
  show(row);
}

function armed(row) {
  const [flow] = place(row);
  const number = detailOf(row).armed;
  if (number === null) return;
  select(rows.indexOf(flows[flow].querySelector(`[data-row="${number}"]`)));
}

function event(step) {
  for (let at = current + step; at >= 0 && at < rows.length; at += step) {
    if (detailOf(rows[at]).event) return select(at);
  }
}

function leave() {
  if (current >= 0) rows[current].classList.remove("current");
  current = -1;
  document.activeElement.blur();
  panel.innerHTML = intro;
}

const theme = () => { root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark"; };
const keys = {
  ArrowDown: () => select(current + 1), j: () => select(current + 1),
  ArrowUp: () => select(current < 0 ? rows.length - 1 : current - 1), k: () => keys.ArrowUp(),
  PageDown: () => select(current + 12), PageUp: () => select(current - 12),
  Home: () => select(0), g: () => select(0), End: () => select(rows.length - 1), G: () => select(rows.length - 1),
  "]": () => event(1), "[": () => event(-1),
  Enter: () => current >= 0 && armed(rows[current]),
  Escape: leave, "?": leave, t: theme,
};

document.addEventListener("keydown", (pressed) => {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return;
  if (pressed.key === "Enter" && pressed.target.closest("button, summary")) return;
  const does = keys[pressed.key];
  if (!does) return;
  pressed.preventDefault();
  does();
});
rows.forEach((row, index) => {
  row.setAttribute("tabindex", "-1");
  row.addEventListener("click", () => select(index, false));
  row.addEventListener("mouseenter", () => show(row));
  row.addEventListener("mouseleave", () => (current >= 0 ? show(rows[current]) : (panel.innerHTML = intro)));
});
document.getElementById("theme").addEventListener("click", theme);
if (root.dataset.theme === "auto") {
  root.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
