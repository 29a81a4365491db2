// What a suite's samples have of their own.

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
