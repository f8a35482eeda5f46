// SPDX-License-Identifier: Apache-2.0
// A till's status: one badge, where the most serious state wins, and the numbers behind it.
import { $, t, number, span, bytes, put, mark, putTime, putLine, start, follow } from "/page.js";

const WORDS = {
  en: {
    title: "Till · Wasl", brand: "Wasl", pending: "Pending", oldest: "Oldest pending",
    held: "On the way", settled: "Settled at the centre", questions: "Questions for a person",
    dead: "Dead letters", synced: "Last sync", upstream: "Connected to", clock: "Clock offset",
    disk: "Disk free", version: "Version", nobody: "nobody",
    good: "✓ Everything has arrived", goodWhat: "",
    syncing: "↻ Sending {n}", syncingWhat: "Sales go on as always.",
    alone: "✕ Alone", aloneWhat: "The line is cut. Sales go on as always; {n} wait here, safe on this disk.",
    revoked: "! Revoked by the head office",
    revokedWhat: "What is sold here from now on is kept and sent, and waits there for a person.",
    attention: "! Needs a person", attentionWhat: "Sales go on as always. See wasl review and wasl deadletter.",
  },
  ar: {
    title: "الصندوق · وصل", brand: "وصل", pending: "قيد الانتظار", oldest: "الأقدم انتظارًا",
    held: "في الطريق", settled: "استقرّت في المركز", questions: "أسئلة بحاجة إلى قرار",
    dead: "أحداث غير مفهومة", synced: "آخر مزامنة", upstream: "متصل بـ", clock: "فرق الساعة",
    disk: "المساحة الحرة", version: "الإصدار", nobody: "لا أحد",
    good: "✓ وصل كل شيء", goodWhat: "",
    syncing: "↻ يُرسل {n}", syncingWhat: "البيع مستمر كالمعتاد.",
    alone: "✕ بمفرده", aloneWhat: "الخط مقطوع. البيع مستمر كالمعتاد؛ {n} تنتظر هنا محفوظة على هذا القرص.",
    revoked: "! ألغى المركز هذا الجهاز",
    revokedWhat: "ما يُباع هنا من الآن يُحفظ ويُرسل، وينتظر هناك قرارًا.",
    attention: "! بحاجة إلى قرار", attentionWhat: "البيع مستمر كالمعتاد. انظر wasl review و wasl deadletter.",
  },
};

let last = null;
let at = 0;
let how = "polling";

const sum = (status, key) => Object.values(status.lanes).reduce((all, lane) => all + lane[key], 0);

function badgeOf(status, pending) {
  if (status.revoked) return ["revoked", "bad"];
  if (status.reviews + status.dead_letters > 0) return ["attention", "warn"];
  if (!status.online) return ["alone", "bad"];
  return pending ? ["syncing", "work"] : ["good", "good"];
}

function draw() {
  putLine(how, at);
  if (!last) return;
  const pending = sum(last, "pending");
  const [state, kind] = badgeOf(last, pending);
  mark($("badge"), "badge " + kind);
  put($("state"), t(state, { n: number(pending) }));
  put($("works"), t(state + "What", { n: number(pending) }));
  put($("place"), last.location);
  put($("pending"), number(pending));
  put($("oldest"), pending ? span(last.oldest_pending_ms) : t("none"));
  put($("held"), number(sum(last, "held")));
  put($("settled"), number(sum(last, "settled")));
  put($("questions"), number(last.reviews));
  put($("dead"), number(last.dead_letters));
  putTime($("synced"), last.last_sync_at, at);
  put($("upstream"), (last.online && last.upstream) || t("nobody"));
  put($("clock"), span(Math.abs(last.clock_offset_ms)));
  put($("disk"), bytes(last.disk_free_bytes));
  put($("version"), last.version);
}

start(WORDS, draw);
follow("/api/v1/status", (status, line) => {
  if (status) {
    last = status;
    at = Date.now();
  }
  how = line;
  draw();
});
