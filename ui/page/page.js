// SPDX-License-Identifier: Apache-2.0
// What every page shares: language and direction, theme, words, numbers and ages, and the line to
// the node. Text only ever goes into a page as text (textContent), never as markup.

const params = new URLSearchParams(location.search);
const kept = (key) => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
};
const keep = (key, value) => {
  try {
    localStorage.setItem(key, value);
  } catch {
    /* a browser that keeps nothing: the choice lasts until the page is closed */
  }
};

let language = params.get("lang") || kept("wasl.lang") || (navigator.language || "en").slice(0, 2);
if (language !== "ar") language = "en";
let theme = params.get("theme") || kept("wasl.theme");
let words = { en: {}, ar: {} };
const listeners = [];

const shared = {
  en: {
    skip: "Skip to the figures", language: "العربية", dark: "Dark", light: "Light",
    live: "Live", polling: "Refreshed every few seconds", cut: "No answer from the node",
    asof: "As of {time}", never: "never", none: "–", token: "API token", enter: "Show",
    needed: "From another machine this page needs an API token (wasl token).",
  },
  ar: {
    skip: "انتقل إلى الأرقام", language: "English", dark: "داكن", light: "فاتح",
    live: "مباشر", polling: "يُحدَّث كل بضع ثوانٍ", cut: "لا جواب من العقدة",
    asof: "حتى {time}", never: "أبدًا", none: "–", token: "رمز الواجهة", enter: "اعرض",
    needed: "من جهاز آخر تحتاج هذه الصفحة إلى رمز واجهة (wasl token).",
  },
};

export const $ = (id) => document.getElementById(id);

export function t(key, values = {}) {
  const text = words[language][key] ?? shared[language][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// ---- numbers and ages: Latin digits in both languages, so that a figure reads the same everywhere

const locale = () => (language === "ar" ? "ar-u-nu-latn" : "en");

export const number = (n) => new Intl.NumberFormat(locale()).format(n);
export const clock = (ms) =>
  new Intl.DateTimeFormat(locale(), { timeStyle: "medium" }).format(ms);
export const moment = (ms) =>
  new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "medium" }).format(ms);

const STEPS = [["day", 86400000], ["hour", 3600000], ["minute", 60000], ["second", 1000]];
const step = (ms) => STEPS.find(([, size]) => ms >= size) || STEPS[3];

export function ago(ms) {
  const [unit, size] = step(ms);
  return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(-Math.floor(ms / size), unit);
}

export function span(ms) {
  const [unit, size] = step(ms);
  const unitDisplay = language === "ar" ? "long" : "short"; // one letter alone says little
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay }).format(
    Math.floor(ms / size));
}

export function bytes(n) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  let i = 0;
  for (; n >= 1000 && i < 4; i++) n /= 1000;
  return new Intl.NumberFormat(locale(), {
    style: "unit", unit: units[i], unitDisplay: "short", maximumFractionDigits: n < 10 ? 1 : 0,
  }).format(n);
}

// ---- elements

export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function mark(element, kind) {
  if (element.className !== kind) element.className = kind;
}

// A moment: relative in the page, absolute when pointed at.
export function putTime(element, ms, now) {
  put(element, ms ? ago(Math.max(0, now - ms)) : t("never"));
  if (ms) {
    element.dateTime = new Date(ms).toISOString();
    element.title = moment(ms);
  } else {
    element.removeAttribute("datetime");
    element.removeAttribute("title");
  }
}

// ---- language and theme

function dress() {
  const root = document.documentElement;
  const dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.lang = language;
  root.dir = language === "ar" ? "rtl" : "ltr";
  root.dataset.theme = dark ? "dark" : "light";
  document.querySelectorAll("[data-t]").forEach((element) => put(element, t(element.dataset.t)));
  document.title = t("title");
  $("language").lang = language === "ar" ? "en" : "ar";
  put($("theme"), t(dark ? "light" : "dark"));
  listeners.forEach((draw) => draw());
}

export function start(pageWords, draw) {
  words = pageWords;
  listeners.push(draw);
  $("language").addEventListener("click", () => {
    language = language === "ar" ? "en" : "ar";
    keep("wasl.lang", language);
    dress();
  });
  $("theme").addEventListener("click", () => {
    theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    keep("wasl.theme", theme);
    dress();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
  dress();
}

// ---- the line to the node
// The document is asked for over HTTP; /api/v1/live only says when. While that line is down, or a
// token is needed (which a browser cannot send with a WebSocket), the page asks by itself.

const POLL_MS = 5000;
const LEAST_MS = 1000; // between two questions
const GIVE_UP_MS = 10000;

export function follow(path, draw) {
  let token = sessionStorage.getItem("wasl.token");
  let asked = 0;
  let waiting = 0;
  let busy = false;
  let live = false;

  async function ask() {
    waiting = 0;
    asked = Date.now();
    busy = true;
    try {
      const headers = token ? { Authorization: "Bearer " + token } : {};
      const signal = AbortSignal.timeout(GIVE_UP_MS);
      const answer = await fetch(path, { headers, signal, cache: "no-store" });
      $("entry").hidden = answer.status !== 401;
      if (!answer.ok) throw new Error(String(answer.status));
      draw(await answer.json(), live ? "live" : "polling");
    } catch {
      draw(null, "cut");
    }
    busy = false;
  }

  function soon() {
    if (!waiting && !document.hidden)
      waiting = setTimeout(() => (busy ? ((waiting = 0), soon()) : ask()),
        Math.max(busy ? 100 : 0, asked + LEAST_MS - Date.now()));
  }

  function listen() {
    const socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/api/v1/live");
    socket.onopen = () => (live = true);
    socket.onmessage = soon;
    socket.onclose = () => {
      live = false;
      setTimeout(listen, POLL_MS);
    };
  }

  $("entry").addEventListener("submit", (event) => {
    event.preventDefault();
    token = $("token").value.trim();
    sessionStorage.setItem("wasl.token", token);
    soon();
  });
  document.addEventListener("visibilitychange", soon);
  setInterval(() => live || soon(), POLL_MS);
  if (!token) listen();
  ask();
}

// The line in the head: how fresh the figures are.
export function putLine(how, at) {
  const glyphs = { live: "●", polling: "◌", cut: "✕" };
  const state = t(how);
  put($("how"), `${glyphs[how]} ${state}`);
  mark($("how"), how === "cut" ? "bad" : how === "live" ? "good" : "none");
  put($("asof"), at ? "· " + t("asof", { time: clock(at) }) : "");
  $("main").classList.toggle("stale", how === "cut");
}
