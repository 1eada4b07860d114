"use strict";
// Reads the server's status once a second and shows it. All text goes in as text, never as markup.
const PERIOD_MS = 1000, KEPT = 60, TOKEN = "exgs token";
const LIMITS = { link: "the link", credit: "the viewer", cap: "its own cap", silence: "silence", cpu: "this server" };
const at = (id) => document.getElementById(id);
const rates = [];

const bytes = (n) => {
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (n < 1000 || unit === "GB") return `${unit === "B" ? n : n.toFixed(n < 10 ? 2 : 1)} ${unit}`;
    n /= 1000;
  }
};
const mbit = (rate) => `${(rate * 8e-6).toFixed(1)} Mbit/s`;
const span = (s) => s < 60 ? `${Math.floor(s)} s` : s < 3600 ? `${Math.floor(s / 60)} min`
  : s < 86400 ? `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min` : `${Math.floor(s / 86400)} d`;
const count = (n) => n ? n.toLocaleString("en") : "";

function cell(row, text, kind) {
  const made = row.insertCell();
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function bar(into, value, most) {
  const made = document.createElement("progress");
  made.max = most || 1;
  made.value = value;
  into.prepend(made);
}

function fill(table, items, write) {
  const body = document.createElement("tbody");
  for (const item of items) write(body.insertRow(), item);
  table.tBodies[0].replaceWith(body);
}

function showSession(row, s) {
  cell(row, s.name);
  cell(row, s.scene);
  bar(cell(row, s.chunks ? bytes(s.bytes_sent) : s.state), Math.min(s.chunks_sent, s.chunks), s.chunks);
  cell(row, mbit(s.delivered_bytes_per_s), "n");
  cell(row, LIMITS[s.limiter] ?? s.limiter, s.limiter);
  cell(row, s.rtt_ms === null ? "" : `${s.rtt_ms.toFixed(1)} ms`, "n");
  cell(row, `${(100 * s.loss).toFixed(1)} %`, "n");
  cell(row, s.carrier + (s.links ? ` + ${s.links}` : ""));
  cell(row, s.viewer.frame_ms_p50 === undefined ? "" : `${s.viewer.frame_ms_p50.toFixed(1)} ms`, "n");
  cell(row, span(s.age_s), "n");
}

function showScene(row, s) {
  cell(row, s.name);
  cell(row, bytes(s.source_bytes), "n");
  cell(row, s.size_bytes ? bytes(s.size_bytes) : "", "n");
  cell(row, count(s.splats), "n");
  const state = s.state === "new" ? "encoded when first played"
    : s.state === "preparing" ? `being encoded, ${Math.round(100 * s.progress)} %`
    : s.detail ? `${s.state}: ${s.detail}` : s.state;
  const made = cell(row, state, `${s.state} why`);
  if (s.state === "preparing") bar(made, s.progress, 1);
}

function showRates(rate) {
  rates.push(rate);
  if (rates.length > KEPT) rates.shift();
  const most = Math.max(...rates, 1), first = KEPT - rates.length;
  const points = rates.map((value, i) => `${(first + i) * 120 / (KEPT - 1)},${23 - 22 * value / most}`);
  at("spark").firstElementChild.setAttribute("points", points.join(" "));
}

function show(status) {
  at("uptime").textContent = `, up for ${span(status.uptime_s)}`;
  at("sessions-now").textContent = `${status.sessions.length} of ${status.max_sessions}`;
  at("rate").textContent = mbit(status.delivered_bytes_per_s);
  at("sent").textContent = bytes(status.sent_bytes);
  at("opened").textContent = status.sessions_opened;
  at("refused").textContent = status.refused;
  showRates(status.delivered_bytes_per_s);
  fill(at("sessions"), status.sessions, showSession);
  at("sessions").hidden = !status.sessions.length;
  at("nobody").hidden = status.sessions.length > 0;
  fill(at("scenes"), status.scenes, showScene);
  at("figures").hidden = at("shelf").hidden = false;
}

function complain(text) {
  at("trouble").textContent = text;
  at("trouble").hidden = !text;
}

async function look() {
  const token = sessionStorage.getItem(TOKEN);
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch("status", { headers, cache: "no-store", signal: AbortSignal.timeout(5000) });
  at("door").hidden = answer.status !== 401;
  if (answer.status === 401) {
    complain(token ? "That is not the token." : "");
    sessionStorage.removeItem(TOKEN);
    return false;
  }
  const status = await answer.json();
  complain(answer.ok ? "" : status.error);
  if (answer.ok) show(status);
  return true;
}

async function follow() {
  let again = true;
  if (!document.hidden) {
    try {
      again = await look();
    } catch {
      complain("The server does not answer.");
    }
  }
  if (again) setTimeout(follow, PERIOD_MS);
}

at("door").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, at("token").value.trim());
  at("token").value = "";
  follow();
});
follow();
