"use strict";
// The sample browser and the theme switch. All text goes into the page as text nodes: nothing of it is markup.
(() => {
  const byId = (id) => document.getElementById(id);
  const ROW = 36, EXTRA = 8;
  const ID = 0, REPEAT = 1, VERDICT = 2, VALUES = 3, ANSWER = 4, REASON = 5, IN = 6, OUT = 7, MS = 8, FLAGS = 9, GROUPS = 10, TEXT = 11;
  const WORDS = {
    correct: ["\u2713", "correct"], partial: ["\u25d0", "partial"], incorrect: ["\u2717", "incorrect"],
    no_answer: ["\u2205", "no answer"], unscored: ["?", "unscored"], failed: ["!", "failed"],
    truncated: ["\u2026", "truncated"], empty: ["\u25a1", "empty"],
  };
  let data = null, shown = [], active = 0, prefix = 0;
  let filter = { run: 0, show: "", by: "", key: "", part: "", is: "", q: "" };

  // Children are nodes, strings or null; attributes that are null are left out.
  function el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value == null) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value);
    }
    for (const child of children.flat()) if (child != null) node.append(child);
    return node;
  }

  function svg(tag, attributes, ...children) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  const harmless = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
  function visible(text) {
    return String(text).replace(harmless, (c) => {
      const code = c.charCodeAt(0);
      return code < 32 ? String.fromCharCode(0x2400 + code) : code === 127 ? "\u2421" : "\ufffd";
    });
  }

  const count = (n) => n < 1000 ? `${n}` : n < 999950 ? `${(n / 1e3).toFixed(1)}k` : `${(n / 1e6).toFixed(1)}M`;
  const time = (ms) => ms == null ? "" : ms < 1 ? "< 1 ms" : ms < 999.5 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1e3).toFixed(1)} s`;
  const percent = (x) => `${(100 * x).toFixed(1)}\u00a0%`;
  const number = (value, unit) => value == null ? "\u2013" : unit === "fraction" ? percent(value) : String(Number(value.toPrecision(4)));
  // A list shows what a share of one sample is: 1, 0 or a part.
  const short = (value, unit) => value == null ? "" : unit === "fraction" && Number.isInteger(value) ? `${value}` : number(value, unit);
  const verdict = (name) => el("span", { class: `v-${name}` }, WORDS[name][0], el("span", { class: "word" }, ` ${WORDS[name][1]}`));

  // ---- address: #samples?run=0&show=no_answer&by=group&key=single&part=table&is=0&q=text, #sample?...&id=..&repeat=0

  function query(extra) {
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...filter, ...extra })) if (value !== "" && value != null) params.set(name, value);
    return params.toString();
  }

  const sampleLink = (run, row) => `#sample?${query({ run, id: row[ID], repeat: row[REPEAT] || "" })}`;

  function readAddress() {
    const [page, rest] = location.hash.slice(1).split("?");
    const params = new URLSearchParams(rest || "");
    if (page === "samples" || page === "sample") {
      const run = Number(params.get("run") || 0);
      filter = { run: data.runs[run] ? run : 0, show: params.get("show") || "", by: params.get("by") || "", key: params.get("key") || "", part: params.get("part") || "", is: params.get("is") || "", q: params.get("q") || "" };
      applyFilter();
    }
    const reading = page === "sample" && openSample(params.get("id"), Number(params.get("repeat") || 0));
    document.body.classList.toggle("reading", reading);
    byId("sample").hidden = !reading;
    if (reading) window.scrollTo(0, 0);
    else if (page) byId(page)?.scrollIntoView();
  }

  // ---- list

  function matches(run, row) {
    if (filter.show === "truncated") { if (!(row[FLAGS] & 1)) return false; }
    else if (filter.show === "empty") { if (!(row[FLAGS] & 2)) return false; }
    else if (filter.show && row[VERDICT] !== filter.show) return false;
    if (filter.by) {
      const keys = row[GROUPS][run.by.indexOf(filter.by)];
      if (!keys || !keys.includes(filter.key)) return false;
    }
    if (filter.part && kindOf(row[VALUES][run.metrics.findIndex(([name]) => name === filter.part)]) !== filter.is) return false;
    return !filter.q || haystack(row).includes(filter.q.toLowerCase());
  }

  // A part of a score is right, wrong, something between, or not asked for.
  const kindOf = (value) => value == null ? "none" : value === 1 || value === 0 ? `${value}` : "between";

  const haystacks = new Map();
  function haystack(row) {
    let text = haystacks.get(row);
    if (text == null) {
      const parts = [row[ID], row[ANSWER], row[REASON]];
      const full = textOf(row);
      if (full) {
        const sample = data.samples[full.sample];
        parts.push(sample.input, ...sample.targets, ...(sample.choices || []));
        for (const turn of full.turns) parts.push(turn.completion || "");
      }
      text = parts.join("\n").toLowerCase();
      haystacks.set(row, text);
    }
    return text;
  }

  const textOf = (row) => data.texts && row[TEXT] != null ? data.texts[row[TEXT]] : null;

  function applyFilter() {
    const run = data.runs[filter.run];
    shown = run ? run.rows.filter((row) => matches(run, row)) : [];
    active = 0;
    prefix = run ? commonPrefix(run.rows) : 0;
    drawControls();
    drawList();
    byId("list").scrollTop = 0;
    const longest = shown.reduce((most, row) => Math.max(most, row[ID].length), 6);
    byId("list").style.setProperty("--id", `${Math.min(30, longest + 1)}ch`);
  }

  // How much of the ids is the same in all of a run, up to a dash: a narrow list leaves it out.
  function commonPrefix(rows) {
    if (rows.length < 2) return 0;
    let length = rows[0][ID].length;
    for (const row of rows) while (!row[ID].startsWith(rows[0][ID].slice(0, length))) length--;
    return rows[0][ID].lastIndexOf("-", length - 1) + 1;
  }

  function setFilter(change) {
    filter = { ...filter, ...change };
    history.replaceState(null, "", `#samples?${query()}`);
    applyFilter();
  }

  function runName(run) {
    const number = run.id == null ? "" : `run ${run.id}: `;
    return visible(`${number}${run.task}, ${data.models[run.model]}`);
  }

  function drawControls() {
    const run = data.runs[filter.run];
    byId("run").value = String(filter.run);
    const counts = {};
    for (const row of run.rows) {
      counts[row[VERDICT]] = (counts[row[VERDICT]] || 0) + 1;
      if (row[FLAGS] & 1) counts.truncated = (counts.truncated || 0) + 1;
      if (row[FLAGS] & 2) counts.empty = (counts.empty || 0) + 1;
    }
    const chip = (name, label) => el("button", { type: "button", "aria-pressed": String(filter.show === name), onclick: () => setFilter({ show: name }) }, label);
    byId("verdicts").replaceChildren(chip("", `all ${run.rows.length}`),
      ...Object.keys(WORDS).filter((name) => counts[name]).map((name) => chip(name, `${WORDS[name][0]} ${WORDS[name][1]} ${counts[name]}`)));
    const keys = new Map();
    run.rows.forEach((row) => row[GROUPS].forEach((list, i) => list.forEach((key) => {
      const name = JSON.stringify([run.by[i], key]);
      keys.set(name, (keys.get(name) || 0) + 1);
    })));
    const group = byId("group");
    group.replaceChildren(el("option", { value: "" }, "all"));
    for (const by of run.by) {
      const options = [...keys].filter(([name]) => JSON.parse(name)[0] === by)
        .sort(([a], [b]) => JSON.parse(a)[1].localeCompare(JSON.parse(b)[1], "en", { numeric: true }));
      if (options.length) group.append(el("optgroup", { label: visible(by) }, options.map(([name, n]) => el("option", { value: name }, `${visible(JSON.parse(name)[1])} (${n})`))));
    }
    group.value = filter.by ? JSON.stringify([filter.by, filter.key]) : "";
    group.parentElement.hidden = run.by.length === 0;
    drawParts(run);
    if (byId("search") !== document.activeElement) byId("search").value = filter.q;
    byId("count").textContent = `${shown.length} of ${run.rows.length}`;
  }

  function drawParts(run) {
    const part = byId("part");
    part.replaceChildren(el("option", { value: "" }, "all"));
    run.metrics.forEach(([name, unit], i) => {
      if (unit !== "fraction" || !isScored(run, i)) return;
      const counts = { 1: 0, between: 0, 0: 0, none: 0 };
      for (const row of run.rows) counts[kindOf(row[VALUES][i])]++;
      const options = Object.keys(counts).filter((kind) => counts[kind]).map((kind) => el("option", { value: JSON.stringify([name, kind]) }, `${visible(name)}: ${kind} (${counts[kind]})`));
      if (options.length > 1) part.append(el("optgroup", { label: visible(name) }, options));
    });
    part.value = filter.part ? JSON.stringify([filter.part, filter.is]) : "";
    part.parentElement.hidden = part.children.length === 1 && !filter.part;
  }

  // Has any sample a value of the metric? Those over several samples have none of one.
  const scored = new Map();
  function isScored(run, metric) {
    const key = `${data.runs.indexOf(run)} ${metric}`;
    if (!scored.has(key)) scored.set(key, run.rows.some((row) => row[VALUES][metric] != null));
    return scored.get(key);
  }

  function drawRow(run, row, i) {
    const cell = (name, ...content) => el("span", { class: name, role: "cell" }, ...content);
    const first = run.metrics[0] || ["", ""];
    return el("a", { class: i === active ? "row active" : "row", role: "row", "aria-rowindex": i + 2, href: sampleLink(filter.run, row), "data-top": (i + 1) * ROW },
      cell("c-id", el("span", { class: "prefix" }, visible(row[ID].slice(0, prefix))), visible(row[ID].slice(prefix)) + (row[REPEAT] ? ` #${row[REPEAT]}` : "")), cell("c-group quiet", visible((row[GROUPS][0] || []).join(", "))),
      cell("c-verdict", verdict(row[VERDICT])), cell("num", short(row[VALUES][0], first[1])), cell("c-answer", visible(row[ANSWER])),
      cell("c-reason quiet", visible(row[REASON])), cell("c-tokens num quiet", `${count(row[IN])} / ${count(row[OUT])}`), cell("c-time num quiet", time(row[MS])));
  }

  function drawList() {
    const list = byId("list"), run = data.runs[filter.run];
    byId("space").style.height = `${shown.length * ROW}px`;
    const from = Math.max(0, Math.floor(list.scrollTop / ROW) - EXTRA);
    const to = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + EXTRA);
    const rows = [];
    for (let i = from; i < to; i++) {
      const node = drawRow(run, shown[i], i);
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

  function buildBrowser() {
    const heads = [["c-id", "sample"], ["c-group", "group"], ["c-verdict", "verdict"], ["num", "score"], ["c-answer", "answer read"], ["c-reason", "reason"], ["c-tokens num", "tokens in/out"], ["c-time num", "time"]];
    const browser = byId("browser");
    browser.append(
      el("div", { class: "filters" },
        el("label", {}, "Run", el("select", { id: "run", onchange: (e) => setFilter({ run: Number(e.target.value), by: "", key: "", part: "", is: "" }) }, data.runs.map((run, i) => el("option", { value: i }, runName(run))))),
        el("label", {}, "Group", el("select", { id: "group", onchange: (e) => { const [by, key] = e.target.value ? JSON.parse(e.target.value) : ["", ""]; setFilter({ by, key }); } })),
        el("label", {}, "Part", el("select", { id: "part", onchange: (e) => { const [part, is] = e.target.value ? JSON.parse(e.target.value) : ["", ""]; setFilter({ part, is }); } })),
        el("label", {}, "Text", el("input", { id: "search", type: "search", placeholder: "id, question, answer", oninput: (e) => setFilter({ q: e.target.value }) })),
        el("span", { class: "count", id: "count", "aria-live": "polite" })),
      el("div", { class: "filters chips", id: "verdicts", role: "group", "aria-label": "Verdict" }),
      el("div", { class: "list", id: "list", role: "table", "aria-label": "Samples", tabindex: "0", onscroll: drawList },
        el("div", { class: "row head", role: "row" }, heads.map(([name, text]) => el("span", { class: name, role: "columnheader" }, text))),
        el("div", { id: "space", role: "rowgroup" }),
        el("p", { class: "note nothing", id: "nothing" }, "No sample is left by these filters.")),
      el("p", { class: "note keys" }, el("kbd", {}, "j"), " ", el("kbd", {}, "k"), " move, ", el("kbd", {}, "Enter"), " opens, ", el("kbd", {}, "/"), " searches, ", el("kbd", {}, "Esc"), " goes back. The address holds the filter."));
    browser.hidden = false;
  }

  // ---- one sample

  const block = (title, ...content) => el("div", { class: "block" }, el("h3", {}, title), ...content);
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
    if (turn.observation) node.append(block("What came of it", pre(visible(turn.observation))));
    node.append(block("Prompt as sent", promptOf(turn)));
    return node;
  }

  const cellText = (value) => visible(typeof value === "string" ? value : value == null ? "" : JSON.stringify(value));

  // Infrawise: the records to choose from, which of them fit, and by what the others mislead.
  function candidates(sample, answer) {
    const list = sample.extra.candidates;
    if (!Array.isArray(list)) return null;
    const right = sample.extra.matches || [], traps = sample.extra.traps || {};
    const chosen = /(?:^|-> )([\d, ]+)$/.exec(answer), picked = chosen ? chosen[1].split(",").map(Number) : [];
    const names = ["hardware", "sku", "workload"];
    return block(`Candidates: ${right.length} of ${list.length} fit`, el("div", { class: "scroll" }, el("table", { class: "plain candidates" },
      el("thead", {}, el("tr", {}, ["#", ...names, "fits?"].map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, list.map((item, i) => {
        const index = item.index ?? i, fits = right.includes(index);
        const trap = traps[String(index)];
        return el("tr", { class: fits ? "gold" : null }, el("td", {}, String(index), picked.includes(index) ? el("small", {}, " \u25cf chosen") : null), names.map((name) => el("td", { "data-label": name }, cellText(item[name]))),
          el("td", {}, fits ? el("span", { class: "v-correct" }, "\u2713 fits") : el("span", { class: "quiet" }, trap ? `wrong ${visible(trap)}` : "no")));
      })))));
  }

  // NL2KQL: both queries with their tokens coloured, and of the reference's names which the answer has. Names are
  // found by word here; the score reads the parsed query.
  const KQL = /(\/\/[^\n]*)|((?:[hH]?@(?:"(?:[^"\n]|"")*"?|'(?:[^'\n]|'')*'?))|[hH]?"(?:\\.|[^"\\\n])*"?|[hH]?'(?:\\.|[^'\\\n])*'?)|(\d[\w.]*)|((?:project|mv|make|top|sample|parse|graph)-[a-z-]+|[A-Za-z_$]\w*)|(\s+)|([^])/gu;
  const KQL_KINDS = ["comment", "string", "number", "word", "blank", "mark"];
  const KQL_WORDS = new Set("and asc between by contains desc endswith from has has_any has_all in let not nulls of on or kind regex startswith step to with".split(" "));
  const KQL_HEADS = new Set("datatable evaluate find let print range search union".split(" "));

  function kqlTokens(text) {
    const tokens = [];
    let before = ";";
    for (const match of text.matchAll(KQL)) {
      const kind = KQL_KINDS[match.slice(1).findIndex((group) => group != null)];
      const token = { kind, text: match[0], name: match[0] };
      if (kind === "word" && (before === "|" || KQL_WORDS.has(match[0]) || before === ";" && KQL_HEADS.has(match[0]))) token.kind = "operator";
      const last = tokens[tokens.length - 1];
      if (match[0] === "(" && last?.kind === "word") last.kind = "call";
      if (kind === "string") token.name = match[0].replace(/^[hH]?@?["']|["']$/g, "");
      if (kind !== "blank" && kind !== "comment") before = match[0];
      tokens.push(token);
    }
    return tokens;
  }

  const plainCluster = (name) => name.toLowerCase().replace(/^https:\/\//, "").replace(/(\.[^.]+)?\.kusto\.windows\.net\/*$/, "");

  // Which of the names that a reference has each token is, as "table SyslogData", or nothing.
  function kqlNames(tokens, sample) {
    const of = (field) => new Set(sample.extra[field] || []);
    const clusters = new Set([...of("clusters")].map(plainCluster)), databases = of("databases"), tables = of("tables"), columns = of("columns");
    const names = new Map();
    const put = (token, kind, name, known) => { if (known.has(name)) names.set(token, `${kind} ${name}`); };
    tokens.forEach((token, i) => {
      const callee = tokens[i - 1]?.text === "(" ? tokens[i - 2]?.text : "";
      if (token.kind === "string" && callee === "cluster") put(token, "cluster", plainCluster(token.name), clusters);
      else if (token.kind === "string" && callee === "database") put(token, "database", token.name, databases);
      else if (token.kind === "word" || token.kind === "string" && tokens[i - 1]?.text === "[") {
        put(token, "column", token.name, columns);
        put(token, "table", token.name, tables);
      }
    });
    return names;
  }

  function queries(answer, sample) {
    const texts = [answer, sample.targets[0]].map((text) => kqlTokens(visible(text)));
    const names = texts.map((tokens) => kqlNames(tokens, sample));
    const both = new Set([...names[0].values()].filter((name) => [...names[1].values()].includes(name)));
    const view = (i) => el("pre", { class: "kql", tabindex: "0" }, texts[i].map((token) => {
      const name = names[i].get(token);
      if (!name) return token.kind === "blank" || token.kind === "mark" || token.kind === "word" ? token.text : el("span", { class: `k-${token.kind}` }, token.text);
      const has = both.has(name);
      return el("span", { class: has ? "k-has" : "k-lacks", title: `${name}: ${has ? "in both" : "not in the answer"}` }, token.text);
    }));
    const legend = (...parts) => el("p", { class: "note" }, parts);
    return { answer: view(0), reference: [view(1), legend(el("span", { class: "k-has" }, "names"), " that the answer has, ", el("span", { class: "k-lacks" }, "names"), " that it lacks; found by word, where the score reads the parsed query.")] };
  }

  function metricsOf(run, row, full) {
    const reason = visible(full?.reason ?? row[REASON]);
    return block("Metrics", reason ? el("p", {}, reason) : null, el("table", { class: "plain" }, el("tbody", {}, run.metrics.map(([name, unit], i) => !isScored(run, i) ? null :
      el("tr", {}, el("th", { scope: "row" }, visible(name)), el("td", { class: "num" }, row[VALUES][i] == null ? el("span", { class: "quiet" }, "does not apply") : short(row[VALUES][i], unit)))))));
  }

  function others(run, row) {
    const cards = [];
    data.runs.forEach((other, i) => {
      if (other === run || other.task !== run.task) return;
      const twin = other.rows.find((r) => r[ID] === row[ID] && r[REPEAT] === row[REPEAT]);
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

  function openSample(id, repeat) {
    const run = data.runs[filter.run];
    if (!run) return false;
    const same = (row) => row[ID] === id && row[REPEAT] === repeat;
    const row = run.rows.find(same);
    if (!row) return false;
    const at = shown.findIndex(same);
    if (at >= 0) active = at;
    byId("sample").replaceChildren(...sampleView(run, row, at));
    return true;
  }

  function sampleView(run, row, at) {
    const full = textOf(row), sample = full && data.samples[full.sample];
    const answer = full?.answer ?? row[ANSWER];
    const show = `micius show ${run.id ?? "RUN"} --sample ${shellWord(row[ID])}`;
    const step = (by, label) => el("button", { type: "button", disabled: at < 0 || !shown[at + by] ? "" : null, onclick: () => go(by) }, label);
    const head = [
      el("div", { class: "bar-top" }, el("a", { href: `#samples?${query()}` }, "\u2190 all samples"), step(-1, "\u2190 previous"), step(1, "next \u2192"),
        el("span", { class: "place" }, at < 0 ? "" : `${at + 1} of ${shown.length}`)),
      el("div", { class: "sample-head" }, el("h2", {}, visible(row[ID]) + (row[REPEAT] ? ` #${row[REPEAT]}` : "")), el("p", { class: "verdict" }, verdict(row[VERDICT])), el("span", { class: "quiet" }, runName(run))),
      el("div", { class: "tags" }, run.by.flatMap((by, i) => row[GROUPS][i].map((key) => el("a", { class: "badge", href: `#samples?${query({ show: "", part: "", is: "", q: "", by, key })}` }, `${visible(by)} ${visible(key)}`)))),
    ];
    const code = (text) => el("div", { class: "code" }, el("code", {}, text), el("button", { type: "button", class: "copy", onclick: copy }, "Copy"));
    const again = run.again ? [el("p", { class: "note" }, "To score the stored answer again:"), code(`${visible(run.again)} --sample-ids ${shellWord(row[ID])}`)] : [];
    const command = block("On the command line", code(show), again);
    if (!full) return [...head, el("p", { class: "note" }, "Prompts and completions are not in this file."), metricsOf(run, row, null), command];
    const left = el("div", {}, block("Request", pre(visible(sample.input), "whole")), candidates(sample, answer),
      full.failure ? block("Failure", el("p", { class: "v-failed" }, visible(`${full.failure.code}: ${full.failure.message} (${full.failure.attempts} attempts)`))) : null,
      full.turns.map((turn, i) => turnOf(turn, i, full, sample, answer)));
    const kql = typeof sample.extra.query === "string" && Array.isArray(sample.extra.tables) ? queries(answer, sample) : null;
    const read = answer === "" ? el("p", { class: "quiet" }, "Nothing was read.") : kql ? kql.answer : pre(visible(answer));
    const right = el("div", {}, block("Answer read", read), block("Reference", kql ? kql.reference : sample.targets.map((target) => pre(visible(target)))), metricsOf(run, row, full), sourceFields(sample), command);
    return [...head, el("div", { class: "columns" }, left, right), others(run, row)].filter((node) => node);
  }

  const shellWord = (word) => /^[\w.\/:,@+=%-]+$/.test(word) ? word : `'${visible(word).replace(/'/g, "'\\''")}'`;

  function go(step) {
    const row = shown[active + step];
    if (row) location.hash = sampleLink(filter.run, row);
  }

  // ---- the rest of the page

  async function copy(event) {
    const button = event.target, text = button.previousElementSibling.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const reading = document.body.classList.contains("reading");
    if (event.target.matches("input, select, textarea")) {
      if (event.key === "Escape") event.target.blur();
      if (event.key === "Enter" && event.target.id === "search") { event.target.blur(); byId("list").focus(); }
      return;
    }
    if (event.key === "j") reading ? go(1) : move(1);
    else if (event.key === "k") reading ? go(-1) : move(-1);
    else if (event.key === "Enter" && !reading && !event.target.closest("a, button, summary") && shown[active]) location.hash = sampleLink(filter.run, shown[active]);
    else if (event.key === "Escape" && reading) location.hash = `#samples?${query()}`;
    else if (event.key === "/") { if (reading) location.hash = `#samples?${query()}`; byId("samples").scrollIntoView(); byId("search").focus(); }
    else return;
    event.preventDefault();
  }

  function themeSwitch() {
    const button = byId("theme"), names = ["system", "light", "dark"];
    let at = 0;
    const remember = (name) => { try { localStorage.setItem("micius-theme", name); } catch { /* files may not remember */ } };
    try { at = Math.max(0, names.indexOf(localStorage.getItem("micius-theme"))); } catch { /* then the system's */ }
    const apply = () => {
      if (at === 0) document.documentElement.removeAttribute("data-theme");
      else document.documentElement.setAttribute("data-theme", names[at]);
      button.textContent = `Theme: ${names[at]}`;
    };
    button.addEventListener("click", () => { at = (at + 1) % names.length; apply(); remember(names[at]); });
    button.hidden = false;
    apply();
  }

  // On paper nothing can be unfolded: how each run was made is printed whole.
  function unfoldForPrint() {
    let folded = [];
    addEventListener("beforeprint", () => {
      folded = [...document.querySelectorAll("details.run:not([open])")];
      for (const run of folded) run.open = true;
    });
    addEventListener("afterprint", () => { for (const run of folded) run.open = false; });
  }

  async function load() {
    const node = byId("data");
    if (node.type === "application/json") return JSON.parse(node.textContent);
    const bytes = Uint8Array.from(atob(node.textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  async function start() {
    themeSwitch();
    unfoldForPrint();
    document.querySelectorAll("button.copy").forEach((button) => { button.hidden = false; button.addEventListener("click", copy); });
    data = await load();
    if (!data.runs.length) return;
    buildBrowser();
    applyFilter();
    addEventListener("hashchange", readAddress);
    addEventListener("keydown", onKey);
    addEventListener("resize", drawList);
    readAddress();
  }
  start();
})();
