// SPDX-License-Identifier: Apache-2.0
// The centre's first page: every branch in one table, the worst first.
import { $, t, number, span, put, mark, putTime, putLine, start, follow } from "/page.js";

const WORDS = {
  en: {
    title: "Branches · Wasl", brand: "Wasl", branches: "Branches", online: "Online",
    away: "Not connected", pending: "Pending", oldest: "Oldest pending", conflicts: "Conflicts",
    dead: "Dead letters", branch: "Branch", state: "State", synced: "Last sync",
    devices: "Devices online", since: "Offline for",
    caption: "Every branch, the worst first. Pending: recorded there and not held here yet; ?: not known while a device is not connected.", unknown: "?",
    empty: "No branch yet: make a code with wasl enroll code, and join a device with it.",
    offline: "Offline", lost: "Lost contact", attention: "Needs a person",
    catching: "Catching up", good: "In step", unseen: "Not seen yet", bare: "No devices",
  },
  ar: {
    title: "الفروع · وصل", brand: "وصل", branches: "الفروع", online: "متصلة",
    away: "غير متصلة", pending: "قيد الانتظار", oldest: "الأقدم انتظارًا", conflicts: "تعارضات",
    dead: "أحداث غير مفهومة", branch: "الفرع", state: "الحالة", synced: "آخر مزامنة",
    devices: "أجهزة متصلة", since: "منقطع منذ",
    caption: "كل الفروع، الأسوأ أولًا. قيد الانتظار: ما سجّله الفرع ولم يصل إلى المركز بعد؛ علامة ؟: لا يُعرف ما دام جهاز غير متصل.", unknown: "؟",
    empty: "لا فروع بعد: أنشئ رمزًا بالأمر wasl enroll code ثم اربط به جهازًا.",
    offline: "منقطع", lost: "فُقد الاتصال", attention: "بحاجة إلى قرار",
    catching: "يلحق بالركب", good: "متزامن", unseen: "لم يظهر بعد", bare: "بلا أجهزة",
  },
};

// What a branch is shown as. Worst first: the order of this table is the order of the page.
const STATES = [
  { key: "offline", glyph: "✕", kind: "bad", is: (b) => b.offline },
  { key: "attention", glyph: "!", kind: "warn", is: (b) => b.conflict_count + b.dead_letters > 0 },
  { key: "lost", glyph: "◐", kind: "warn", is: (b) => !b.online && b.devices > 0 && b.last_seen_at },
  { key: "catching", glyph: "↻", kind: "work",
    is: (b) => b.online && (b.pending_events >= 50 || b.behind_seconds >= 5) },
  { key: "good", glyph: "✓", kind: "good", is: (b) => b.online },
  { key: "unseen", glyph: "○", kind: "none", is: (b) => b.devices > 0 },
  { key: "bare", glyph: "–", kind: "none", is: () => true },
];

const isUnknown = (branch) => branch.devices_online < branch.devices;
const stateOf = (branch) => STATES.findIndex((state) => state.is(branch));

let last = null; // the newest document
let how = "polling";
const rows = new Map(); // by branch id

function makeRow() {
  const tr = document.createElement("tr");
  const cells = {};
  const add = (name, tag, kind) => {
    const cell = document.createElement(tag);
    if (kind) cell.className = kind;
    tr.append(cell);
    return (cells[name] = cell);
  };
  const inside = (cell, tag) => cell.appendChild(document.createElement(tag));
  add("branch", "th").scope = "row";
  cells.name = inside(cells.branch, "bdi");
  cells.place = inside(inside(cells.branch, "small"), "bdi");
  add("state", "td", "state");
  cells.glyph = inside(cells.state, "i");
  cells.glyph.setAttribute("aria-hidden", "true");
  cells.word = inside(cells.state, "span");
  const addNumber = (name) => (cells[name] = inside(add(name + "Cell", "td", "n"), "bdi"));
  ["pending", "oldest"].forEach(addNumber);
  cells.synced = inside(add("when", "td"), "time");
  ["conflicts", "dead", "devices", "since"].forEach(addNumber);
  return { tr, cells };
}

function putCount(element, n) {
  put(element, number(n));
  mark(element, n ? "" : "zero");
}

// What the devices told last. One that is not connected may have recorded more since.
function pendingText(n, unknown) {
  if (!unknown) return number(n);
  return n ? `${number(n)} +\u00a0${t("unknown")}` : t("unknown");
}

const oldestText = (ms, n, unknown) => (n ? span(ms) : t(unknown ? "unknown" : "none"));

function fillRow({ tr, cells }, branch, now) {
  const state = STATES[stateOf(branch)];
  const named = branch.branch_name !== branch.branch_id;
  put(cells.name, branch.branch_name);
  put(cells.place, [named && branch.branch_id, branch.region].filter(Boolean).join(" · "));
  put(cells.glyph, state.glyph);
  put(cells.word, t(state.key));
  mark(cells.state, "state " + state.kind);
  mark(tr, state.kind === "bad" || state.kind === "warn" ? state.kind : "");
  putTime(cells.synced, branch.last_synced_at, now);
  const [pending, unknown] = [branch.pending_events, isUnknown(branch)];
  put(cells.pending, pendingText(pending, unknown));
  put(cells.oldest, oldestText(branch.oldest_pending_ms, pending, unknown));
  for (const cell of [cells.pending, cells.oldest]) mark(cell, pending || unknown ? "" : "zero");
  putCount(cells.conflicts, branch.conflict_count);
  putCount(cells.dead, branch.dead_letters);
  if (branch.conflict_count) mark(cells.conflicts, "raised");
  if (branch.dead_letters) mark(cells.dead, "raised");
  put(cells.devices, `${number(branch.devices_online)}/${number(branch.devices)}`);
  const silent = !branch.online && branch.last_seen_at ? now - branch.last_seen_at : 0;
  put(cells.since, silent > 0 ? span(silent) : t("none"));
  mark(cells.since, silent > 0 ? "" : "zero");
}

function worstFirst(a, b) {
  return stateOf(a) - stateOf(b) || b.oldest_pending_ms - a.oldest_pending_ms ||
    b.pending_events - a.pending_events || a.branch_name.localeCompare(b.branch_name);
}

function fillTable(branches, now) {
  const body = $("rows");
  branches.forEach((branch, i) => {
    let row = rows.get(branch.branch_id);
    if (!row) rows.set(branch.branch_id, (row = makeRow()));
    fillRow(row, branch, now);
    if (body.children[i] !== row.tr) body.insertBefore(row.tr, body.children[i] || null);
  });
  const there = new Set(branches.map((branch) => branch.branch_id));
  for (const [id, row] of rows) {
    if (!there.has(id)) {
      row.tr.remove();
      rows.delete(id);
    }
  }
  $("empty").hidden = branches.length > 0;
}

function fillTotals(branches) {
  const sum = (key) => branches.reduce((all, branch) => all + branch[key], 0);
  const oldest = branches.reduce((most, branch) => Math.max(most, branch.oldest_pending_ms), 0);
  const away = branches.filter((branch) => branch.devices > 0 && !branch.online);
  put($("total"), number(branches.length));
  put($("online"), number(branches.filter((branch) => branch.online).length));
  put($("away"), number(away.length));
  mark($("away"), away.some((branch) => branch.offline) ? "bad" : away.length ? "warn" : "");
  const [pending, unknown] = [sum("pending_events"), branches.some(isUnknown)];
  put($("pending"), pendingText(pending, unknown));
  put($("oldest"), oldestText(oldest, pending, unknown));
  for (const [id, key] of [["conflicts", "conflict_count"], ["dead", "dead_letters"]]) {
    put($(id), number(sum(key)));
    mark($(id), sum(key) ? "bad" : "");
  }
}

function draw() {
  putLine(how, last && last.as_of);
  if (!last) return;
  fillTotals(last.branches);
  fillTable([...last.branches].sort(worstFirst), last.as_of);
}

start(WORDS, draw);
follow("/api/v1/branches", (document, line) => {
  if (document) last = document;
  how = line;
  draw();
});
