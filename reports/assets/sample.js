// One sample: everything about it on one screen.

const block = (title, ...content) => el("div", { class: "block" }, el("h3", {}, title), ...content);
// What was stored may have another shape: it is shown as it is, then.
const orNothing = (make) => { try { return make(); } catch { return null; } };
const pre = (text, name) => el("pre", { class: name || null, tabindex: "0" }, text);
const fold = (title, ...content) => el("details", {}, el("summary", {}, title), ...content);

// The completion with the answer that was read in it marked, at its last place. Of an answer from several turns
// ("A -> B") each turn has its part, and a part of several fields ("x | y") is marked field by field.
function marked(text, answer, turn) {
  text = visible(text);
  const part = answer.split(" -> ")[turn] || "";
  const whole = [answer, part].map(visible).find((needle) => needle && text.includes(needle));
  const needles = whole ? [whole] : part.split(" | ").map(visible).filter((needle) => needle.trim() && text.includes(needle));
  const spans = needles.map((needle) => [text.lastIndexOf(needle), needle.length]).sort((x, y) => x[0] - y[0]);
  const nodes = [];
  let from = 0;
  for (const [at, length] of spans) {
    if (at < from) continue;
    nodes.push(text.slice(from, at), el("mark", { title: "the answer that was read" }, text.slice(at, at + length)));
    from = at + length;
  }
  return [...nodes, text.slice(from)];
}

function likelihoodBars(turn, sample, answer) {
  const largest = Math.max(1e-9, ...turn.likelihoods.map((l) => Math.abs(l[0])));
  const rows = turn.pairs.map((pair, i) => {
    const l = turn.likelihoods[i];
    if (!l) return null;
    const width = 100 * Math.abs(l[0]) / largest;
    const text = (sample.choices || [])[i] ?? pair[1];
    const gold = sample.extra.gold === i, chosen = answer === text || answer === String(i);
    return el("tr", { class: `${gold ? "gold" : ""} ${chosen ? "chosen" : ""}` },
      el("td", { class: "num quiet" }, String(i)),
      el("th", { scope: "row" }, visible(text), el("small", {}, `${gold ? " \u2713 right" : ""}${chosen ? " \u25cf chosen" : ""}`)),
      el("td", { class: "likelihood" }, svg("svg", { width: "100%", height: "14", role: "img", "aria-label": `${l[0].toFixed(2)}` },
        svg("rect", { x: `${100 - width}%`, y: "2", width: `${width}%`, height: "10" }), svg("line", { x1: "100%", x2: "100%", y1: "0", y2: "14" }))),
      el("td", { class: "num" }, l[0].toFixed(2)), el("td", { class: "num quiet" }, String(l[1])));
  });
  return el("table", { class: "plain" }, el("caption", {}, "Log-likelihood of each choice; bars start at 0 on the right, the shorter the likelier."),
    el("thead", {}, el("tr", {}, ["", "choice", "", "log-likelihood", "tokens"].map((h, i) => el("th", { class: i === 3 || i === 4 ? "num" : null, scope: "col" }, h)))), el("tbody", {}, rows));
}

function promptOf(turn) {
  const nodes = [];
  for (const [role, text] of turn.messages || []) {
    const body = pre(visible(data.strings[text]));
    nodes.push(role === "system" ? fold("system", body) : el("div", {}, el("p", { class: "role" }, role), body));
  }
  if (turn.pairs) {
    const contexts = new Set(turn.pairs.map((pair) => pair[0]));
    if (contexts.size === 1) nodes.push(el("p", { class: "role" }, "context"), pre(visible(data.strings[turn.pairs[0][0]])));
    nodes.push(fold("continuations", turn.pairs.map((pair) => pre((contexts.size === 1 ? "" : visible(data.strings[pair[0]]) + "\u2502") + visible(pair[1])))));
  }
  if (turn.read) nodes.push(fold("what the model read, in its chat template", pre(visible(turn.read.map((piece) => typeof piece === "number" ? data.strings[piece] : piece).join("")))));
  return nodes;
}

function turnOf(turn, i, full, sample, answer) {
  const many = full.turns.length > 1;
  const node = el("div", { class: "turn" });
  if (many) node.append(el("h3", {}, `Turn ${i + 1}`));
  if (turn.likelihoods) node.append(block("Choices", likelihoodBars(turn, sample, answer)));
  if (turn.completion != null) {
    const stop = turn.stop === "stop" ? "ended by itself" : turn.stop === "length" ? "cut at the token limit" : turn.stop;
    node.append(block("Completion", turn.completion === "" ? el("p", { class: "quiet" }, "No text came back.") : pre("", "completion"),
      el("p", { class: "note" }, `${stop}, ${turn.tokens[0]} tokens in, ${turn.tokens[1]} out`)));
    const body = node.querySelector("pre.completion");
    if (body) body.append(...marked(turn.completion, answer, i));
  }
  if (turn.observation) node.append(orNothing(() => effects(turn, sample)) ?? block("What came of it", pre(visible(turn.observation))));
  node.append(block("Prompt as sent", promptOf(turn)));
  return node;
}

function metricsOf(run, row, full) {
  const reason = visible(full?.reason ?? row[REASON]);
  return block("Metrics", reason ? el("p", {}, reason) : null, el("table", { class: "plain" }, el("tbody", {}, run.metrics.map(([name, unit], i) => !isScored(run, i) ? null :
    el("tr", {}, el("th", { scope: "row" }, visible(name)), el("td", { class: "num" }, row[VALUES][i] == null ? el("span", { class: "quiet" }, "does not apply") : short(row[VALUES][i], unit)))))));
}

function others(run, row) {
  const cards = [];
  data.runs.forEach((other, i) => {
    if (other === run || other === otherOf() || other.task !== run.task) return;
    const twin = twinOf(other, row);
    if (!twin) return;
    const full = textOf(twin), last = full && full.turns[full.turns.length - 1];
    cards.push(el("div", {}, el("p", {}, el("a", { href: sampleLink(i, twin) }, visible(data.models[other.model])), " ", verdict(twin[VERDICT])),
      last && last.completion ? pre(visible(last.completion)) : el("p", { class: "quiet" }, visible(twin[ANSWER] || "no answer")), el("p", { class: "note" }, visible(twin[REASON]))));
  });
  return cards.length ? block("The same sample, other models", el("div", { class: "others" }, cards)) : null;
}

function sourceFields(sample) {
  const known = new Set(["candidates", "matches", "traps", "gold", "canary", "licence"]);
  const rest = Object.entries(sample.extra).filter(([name]) => !known.has(name));
  return rest.length ? fold("Fields of the case", el("table", { class: "plain" }, el("tbody", {}, rest.map(([name, value]) =>
    el("tr", {}, el("th", { scope: "row" }, visible(name)), el("td", {}, cellText(value))))))) : null;
}

// What the two models of the flips browser answered, beside each other.
function sideBySide(run, row) {
  const other = otherOf(), twin = other && twinOf(other, row);
  if (!twin) return null;
  const metric = comparedMetric(run, other);
  const side = (of, its) => {
    const full = textOf(its), answer = full?.answer ?? its[ANSWER];
    const at = of.metrics.findIndex(([name]) => name === run.metrics[metric][0]), unit = (of.metrics[at] || ["", ""])[1];
    const texts = full ? full.turns.filter((turn) => turn.completion != null).map((turn, i) => { const node = pre("", "completion"); node.append(...marked(turn.completion, answer, i)); return node; }) : [];
    return el("div", {}, el("h4", {}, visible(data.models[of.model])), el("p", { class: "verdict" }, verdict(its[VERDICT]), ` ${short(its[VALUES][at], unit)}`),
      el("p", { class: "note" }, "answer read"), answer === "" ? el("p", { class: "quiet" }, "none") : pre(visible(answer)),
      texts.length ? [el("p", { class: "note" }, "completion"), ...texts] : null, el("p", { class: "note" }, visible(full?.reason ?? its[REASON])));
  };
  return block("Side by side", el("div", { class: "others sides" }, side(run, row), side(other, twin)));
}

function openSample(id, repeat) {
  const run = runOf();
  if (!run) return false;
  const row = rowAt(run, placeOf(run, id, repeat));
  if (!row) return false;
  const at = shown.place(row);
  if (at >= 0) active = at;
  byId("sample").replaceChildren(...sampleView(run, row, at));
  return true;
}

function sampleView(run, row, at) {
  const full = textOf(row), sample = full && data.samples[full.sample];
  const answer = full?.answer ?? row[ANSWER];
  const show = `micius show ${run.id ?? "RUN"} --sample ${shellWord(row[ID])}`;
  const step = (by, label) => el("button", { type: "button", disabled: at < 0 || !shown.row(at + by) ? "" : null, onclick: () => go(by) }, label);
  const head = [
    el("div", { class: "bar-top" }, el("a", { href: `#samples?${query()}` }, "\u2190 all samples"), step(-1, "\u2190 previous"), step(1, "next \u2192"),
      el("span", { class: "place" }, at < 0 ? "" : `${at + 1} of ${shown.length}`)),
    el("div", { class: "sample-head" }, el("h2", {}, visible(row[ID]) + (row[REPEAT] ? ` #${row[REPEAT]}` : "")), el("p", { class: "verdict" }, verdict(row[VERDICT])), el("span", { class: "quiet" }, runName(run))),
    el("div", { class: "tags" }, run.by.flatMap((by, i) => row[GROUPS][i].map((key) => el("a", { class: "badge", href: `#samples?${query({ ...NOTHING, run: filter.run, by, key })}` }, `${visible(by)} ${visible(key)}`)))),
  ];
  const code = (text) => el("div", { class: "code" }, el("code", {}, text), el("button", { type: "button", class: "copy", onclick: copy }, "Copy"));
  const again = run.again ? [el("p", { class: "note" }, "To score the stored answer again:"), code(`${visible(run.again)} --sample-ids ${shellWord(row[ID])}`)] : [];
  const command = block("On the command line", code(show), again);
  if (!full) return [...head, sideBySide(run, row), el("p", { class: "note" }, "Prompts and completions are not in this file."), metricsOf(run, row, null), command].filter((node) => node);
  const left = el("div", {}, block("Request", pre(visible(sample.input), "whole")), candidates(sample, answer), orNothing(() => plans(full, sample)) ?? [],
    full.failure ? block("Failure", el("p", { class: "v-failed" }, visible(`${full.failure.code}: ${full.failure.message} (${full.failure.attempts} attempts)`))) : null,
    full.turns.map((turn, i) => turnOf(turn, i, full, sample, answer)));
  const kql = typeof sample.extra.query === "string" && Array.isArray(sample.extra.tables) ? queries(answer, sample) : null;
  const read = answer === "" ? el("p", { class: "quiet" }, "Nothing was read.") : kql ? kql.answer : pre(visible(answer));
  const right = el("div", {}, block("Answer read", read), block("Reference", kql ? kql.reference : sample.targets.map((target) => pre(visible(target)))), metricsOf(run, row, full), sourceFields(sample), command);
  return [...head, sideBySide(run, row), el("div", { class: "columns" }, left, right), others(run, row)].filter((node) => node);
}

const shellWord = (word) => /^[\w.\/:,@+=%-]+$/.test(word) ? word : `'${visible(word).replace(/'/g, "'\\''")}'`;

function go(step) {
  const row = shown.row(active + step);
  if (row) location.hash = sampleLink(filter.run, row);
}
