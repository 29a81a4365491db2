// The sample table: only the rows in sight are in the page.

const ROW = 36, EXTRA = 8;
const HEADS = [["c-id", "sample", "id"], ["c-group", "group", "group"], ["c-verdict", "verdict", "verdict"], ["num", "score", "score"], ["c-answer", "answer read", "answer"],
  ["c-reason", "reason", "reason"], ["c-tokens num", "tokens in/out", "tokens"], ["c-time num", "time", "time"]];
// Between two models: what each answered, side by side.
const FLIP_HEADS = (run, other) => [["c-id", "sample", "id"], ["c-group", "group", "group"], ["c-verdict", visible(data.models[run.model]), "verdict"], ["num", "score", "score"],
  ["c-answer", "its answer", "answer"], ["c-verdict", visible(data.models[other.model])], ["num", "score"], ["c-answer", "its answer"]];

const select = (id, label, onchange) => el("label", { id: `${id}-label` }, label, el("select", { id, onchange: (e) => onchange(e.target.value) }));

function buildBrowser() {
  const pair = (value) => value ? JSON.parse(value) : ["", ""];
  const browser = byId("browser");
  browser.append(
    el("div", { class: "filters" },
      select("run", "Run", (value) => setFilter({ ...NOTHING, run: Number(value), q: filter.q })),
      select("vs", "Flips against", (value) => setFilter({ vs: value === "" ? "" : Number(value), sort: "" })),
      select("group", "Group", (value) => { const [by, key] = pair(value); setFilter({ by, key }); }),
      select("part", "Part", (value) => { const [part, is] = pair(value); setFilter({ part, is }); }),
      el("label", {}, "Text", el("input", { id: "search", type: "search", placeholder: "id, question, answer, reason: …", oninput: (e) => setFilter({ q: e.target.value }) })),
      el("span", { class: "count", id: "count", "aria-live": "polite" })),
    el("div", { class: "filters chips", id: "verdicts", role: "group", "aria-label": "Verdict" }),
    el("div", { class: "list", id: "list", role: "table", "aria-label": "Samples", tabindex: "0", onscroll: drawList },
      el("div", { class: "row head", id: "heads", role: "row" }),
      el("div", { id: "space", role: "rowgroup" }),
      el("p", { class: "note nothing", id: "nothing" }, "No sample is left by these filters.")),
    el("p", { class: "note keys" }, el("kbd", {}, "j"), " ", el("kbd", {}, "k"), " move, ", el("kbd", {}, "Enter"), " opens, ", el("kbd", {}, "/"), " searches, ", el("kbd", {}, "Esc"), " goes back. A column's head sorts by it. The address holds all of it."));
  byId("run").append(...data.runs.map((run, i) => el("option", { value: i }, runName(run))));
  browser.hidden = false;
}

// A select with what a run offers; hidden where there is nothing to choose.
function fill(id, value, nodes) {
  const node = byId(id);
  node.replaceChildren(...nodes);
  node.value = value;
  byId(`${id}-label`).hidden = nodes.length < 2 && !value;
}

let offered = null;
function offer(run) {
  if (offered === run) return;
  offered = run;
  const all = (text) => el("option", { value: "" }, text);
  const others = data.runs.map((other, i) => [other, i]).filter(([other]) => other !== run && other.task === run.task);
  fill("vs", "", [all("no other model"), ...others.map(([other, i]) => el("option", { value: i }, visible(data.models[other.model])))]);
  fill("group", "", [all("all"), ...groupsOf(run).filter(([, keys]) => keys.length).map(([by, keys]) =>
    el("optgroup", { label: visible(by) }, keys.map(([key, n]) => el("option", { value: JSON.stringify([by, key]) }, `${visible(key)} (${n})`))))]);
  fill("part", "", [all("all"), ...partsOf(run).map(([name, kinds]) =>
    el("optgroup", { label: visible(name) }, kinds.map(([kind, n]) => el("option", { value: JSON.stringify([name, kind]) }, `${visible(name)}: ${kind} (${n})`))))]);
}

// counts: rows by verdict and ending, of the `total` that the other filters leave.
function drawControls(counts, total) {
  const run = runOf(), all = factsOf(run).counts;
  offer(run);
  byId("run").value = String(filter.run);
  byId("vs").value = String(filter.vs);
  byId("group").value = filter.by ? JSON.stringify([filter.by, filter.key]) : "";
  byId("part").value = filter.part ? JSON.stringify([filter.part, filter.is]) : "";
  const chip = (name, label) => el("button", { type: "button", "data-show": name, "aria-pressed": String(filter.show === name), onclick: () => setFilter({ show: name }) }, label);
  byId("verdicts").replaceChildren(chip("", `all ${total}`),
    ...Object.keys(WORDS).filter((name) => all[name]).map((name) => chip(name, `${WORDS[name][0]} ${WORDS[name][1]} ${counts[name] || 0}`)),
    ...(all.partial ? [el("span", { class: "quiet" }, "partial: not right, though a part of its score is above 0")] : []));
  if (byId("search") !== document.activeElement) byId("search").value = filter.q;
  byId("count").textContent = `${shown.length} of ${run.n}`;
  drawHeads(run);
}

function drawHeads(run) {
  const heads = otherOf() ? FLIP_HEADS(run, otherOf()) : HEADS;
  const by = filter.sort.replace(/^-/, ""), down = filter.sort.startsWith("-");
  const next = (key) => by !== key ? key : down ? "" : `-${key}`;
  byId("list").classList.toggle("flips", otherOf() != null);
  byId("heads").replaceChildren(...heads.map(([name, text, key]) => el("span", { class: name, role: "columnheader", "aria-sort": key && by === key ? (down ? "descending" : "ascending") : null },
    key ? el("button", { type: "button", "data-sort": key, onclick: () => setFilter({ sort: next(key) }) }, text, by === key ? (down ? " \u2193" : " \u2191") : "") : text)));
}

const cell = (name, ...content) => el("span", { class: name, role: "cell" }, ...content);

function idCells(run, row) {
  const { prefix } = factsOf(run);
  return [cell("c-id", el("span", { class: "prefix" }, visible(row[ID].slice(0, prefix))), visible(row[ID].slice(prefix)) + (row[REPEAT] && !otherOf() ? ` #${row[REPEAT]}` : "")),
    cell("c-group quiet", visible((row[GROUPS][0] || []).join(", ")))];
}

function flipCells(run, row) {
  const flip = flipsOf(run, otherOf()).get(row), unit = (run.metrics[comparedMetric(run, otherOf())] || ["", ""])[1];
  const side = (which, value) => [cell("c-verdict", verdict(which[VERDICT])), cell("num", short(value, unit)), cell("c-answer", visible(which[ANSWER]))];
  return [...side(row, flip.mine), ...side(flip.twin, flip.its)];
}

function rowCells(run, row) {
  const first = run.metrics[0] || ["", ""];
  return [cell("c-verdict", verdict(row[VERDICT])), cell("num", short(row[VALUES][0], first[1])), cell("c-answer", visible(row[ANSWER])),
    cell("c-reason quiet", visible(row[REASON])), cell("c-tokens num quiet", `${count(row[IN])} / ${count(row[OUT])}`), cell("c-time num quiet", time(row[MS]))];
}

function drawRow(run, row, i) {
  return el("a", { class: i === active ? "row active" : "row", role: "row", "aria-rowindex": i + 2, href: sampleLink(filter.run, row) },
    idCells(run, row), otherOf() ? flipCells(run, row) : rowCells(run, row));
}

function drawList() {
  const list = byId("list"), run = runOf();
  byId("space").style.height = `${shown.length * ROW}px`;
  const from = Math.max(0, Math.floor(list.scrollTop / ROW) - EXTRA);
  const to = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + EXTRA);
  const rows = [];
  for (let i = from; i < to; i++) {
    const node = drawRow(run, shown.row(i), i);
    node.style.top = `${(i + 1) * ROW}px`;
    rows.push(node);
  }
  byId("space").replaceChildren(...rows);
  list.setAttribute("aria-rowcount", shown.length + 1);
  byId("nothing").hidden = shown.length > 0;
}

function move(step) {
  if (!shown.length) return;
  active = Math.min(shown.length - 1, Math.max(0, active + step));
  const list = byId("list"), top = active * ROW;
  if (top < list.scrollTop) list.scrollTop = top;
  if (top + 3 * ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + 3 * ROW - list.clientHeight;
  drawList();
}
