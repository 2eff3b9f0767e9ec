// What the page does: how messages are shown, which of them, and the newest edition of them after a save.
"use strict";

const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");
const kept = recall();

function recall() {
  try { return JSON.parse(localStorage.getItem("orchestrator.preview")) || {}; } catch { return {}; }
}

function keep(name, value) {
  kept[name] = value;
  try { localStorage.setItem("orchestrator.preview", JSON.stringify(kept)); } catch { /* a browser that keeps nothing */ }
}

const on = name => root.hasAttribute(`data-${name}`);
const all = (what, within = document) => [...within.querySelectorAll(what)];

// How messages are shown.

function width(name) {
  root.dataset.width = name;
  for (const button of all("button[data-width]")) button.setAttribute("aria-pressed", String(button.dataset.width === name));
}

function scheme(dark) {
  root.dataset.scheme = dark ? "dark" : "light";
  press("dark", dark);
}

function press(name, value) {
  root.toggleAttribute(`data-${name}`, value);
  const button = document.querySelector(`[data-switch="${name}"]`);
  if (button) button.setAttribute("aria-pressed", String(value));
}

function flip(name) {
  const value = !on(name);
  if (name === "dark") scheme(value); else press(name, value);
  if (name === "dark" || name === "pictures") frames();
  if (name === "pictures") pictures();
  if (name === "trouble") sift(); else keep(name, value);
}

// E-mails are in sandboxes, so each is asked for anew as it is to be shown; only those without dark colours of their own are recoloured.
function frames() {
  void root.offsetWidth; // a frame that is loaded before the page's new scheme is settled never hears of it (Chromium, 2026)
  for (const frame of all("iframe")) {
    const choices = frame.hasAttribute("data-recoloured") ? ["pictures", "dark"] : ["pictures"];
    const served = frame.hasAttribute("src");
    const wanted = served ? address(frame.getAttribute("src"), choices.filter(on)) : swapped(frame.srcdoc, choices);
    if (served && frame.getAttribute("src") !== wanted) frame.setAttribute("src", wanted);
    if (!served && frame.srcdoc !== wanted) frame.srcdoc = wanted;
  }
}

function address(before, choices) {
  const [place, look] = before.split(/[?&]/);
  return `${place}?${[look, ...choices].join("&")}`;
}

// The first of each in a message is ours: it stands in its head before anything else.
function swapped(html, choices) {
  const known = JSON.parse(root.dataset.swaps);
  for (const name of choices) html = html.replace(...(on(name) ? known[name] : known[name].toReversed()));
  return html;
}

// Pictures come from wherever the message says, so nothing is fetched until somebody asks for them.
function pictures() {
  for (const place of all("[data-picture]")) {
    const image = place.querySelector("img");
    if (!on("pictures")) { if (image) image.remove(); }
    else if (!image && /^https?:/.test(place.dataset.picture)) {
      const made = document.createElement("img");
      made.alt = "";
      made.referrerPolicy = "no-referrer";
      made.src = place.dataset.picture;
      place.append(made);
    }
  }
}

// Which messages are shown.

function sift() {
  const wanted = all("select[data-filter]").filter(one => one.value).map(one => [one.dataset.filter, one.value]);
  for (const tile of all(".tile")) {
    const fits = wanted.every(([key, value]) => tile.dataset[key].split(" ").includes(value));
    tile.hidden = !fits || (on("trouble") && !tile.hasAttribute("data-trouble"));
  }
  for (const group of [...all(".row"), ...all(".channel")]) group.hidden = !all(".tile", group).some(tile => !tile.hidden);
  document.querySelector(".none").hidden = all(".tile").some(tile => !tile.hidden);
}

// The newest edition: tiles that look the same stay as they are, so that nothing flickers or scrolls away.

async function renew() {
  const answer = await fetch("./", { cache: "no-store" });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const chosen = Object.fromEntries(all("select[data-filter]").map(one => [one.dataset.filter, one.value]));
  const before = new Map(all(".tile").map(tile => [tile.id, tile]));
  for (const tile of all(".tile", fresh)) {
    const old = before.get(tile.id);
    if (!old) continue;
    if (old.dataset.look !== tile.dataset.look) tile.classList.add("changed");
  }
  const same = all(".tile", fresh).map(tile => tile.id).join() === [...before.keys()].join();
  if (same) {
    for (const tile of all(".tile.changed", fresh)) before.get(tile.id).replaceWith(document.adoptNode(tile));
    document.querySelector(".banner").replaceWith(document.adoptNode(fresh.querySelector(".banner")));
  } else {
    document.querySelector("main").replaceWith(document.adoptNode(fresh.querySelector("main")));
  }
  for (const part of [".what", ".tools"]) document.querySelector(part).replaceWith(document.adoptNode(fresh.querySelector(part)));
  root.dataset.edition = fresh.documentElement.dataset.edition;
  dress(chosen);
}

function follow() {
  const events = new EventSource("events");
  events.addEventListener("edition", event => { if (event.data !== root.dataset.edition) renew(); });
  events.addEventListener("open", () => live(true));
  events.addEventListener("error", () => live(false));
}

function live(well) {
  const sign = document.querySelector(".live");
  sign.classList.toggle("lost", !well);
  sign.querySelector("span").textContent = well ? "reloads on save" : "stopped; start it again in the terminal";
}

// What was chosen before, on a page that has just come.

function dress(chosen) {
  for (const [key, value] of Object.entries(chosen)) {
    const filter = document.querySelector(`select[data-filter="${CSS.escape(key)}"]`);
    if (filter && all("option", filter).some(one => one.value === value)) filter.value = value;
  }
  width(kept.width || "both");
  scheme(kept.dark ?? system.matches);
  press("long", Boolean(kept.long));
  press("pictures", Boolean(kept.pictures));
  press("trouble", on("trouble") && document.querySelector('[data-switch="trouble"]') !== null);
  frames();
  pictures();
  sift();
}

document.addEventListener("click", event => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.width) { width(button.dataset.width); keep("width", button.dataset.width); }
  if (button.dataset.switch) flip(button.dataset.switch);
});
document.addEventListener("change", event => { if (event.target.matches("select[data-filter]")) sift(); });
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, input, textarea")) return;
  const name = { d: "dark", p: "pictures", l: "long", t: "trouble" }[event.key];
  if (name && document.querySelector(`[data-switch="${name}"]`)) flip(name);
});
system.addEventListener("change", () => { if (kept.dark === undefined) scheme(system.matches); });

dress({});
if (root.dataset.edition) follow();
