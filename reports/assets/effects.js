// CMDGen: what the answer's command did against what the reference did, line by line. Lines are compared as the scorer's
// second text is, after masking what may differ (times, measured values); what is masked is shown, in grey.

const LONGEST_DIFF = 1200;  // lines of either side; longer ones are compared from their beginning

function fitsPrograms(globs, programs) {
  const expression = (glob) => new RegExp(`^${glob.replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*").replace(/\?/g, ".")}$`);
  return !globs || !globs.length || programs.some((name) => globs.some((glob) => expression(glob).test(name)));
}

// As the scorer's tidy(): no escapes, no blanks at line ends, of several blank lines one.
function tidyLines(text) {
  const lines = text.replace(/\r\n/g, "\n").replace(/\u001b\[[^@-~]*[@-~]?|\u001b[^[]?/g, "").split("\n").map((line) => line.replace(/[ \t\r]+$/, ""));
  return lines.filter((line, i) => line !== "" || i > 0 && lines[i - 1] !== "" && lines.slice(i).some((later) => later !== ""));
}

function effectLines(effect, channels) {
  const parts = [...(effect.env || []).map((variable) => `env: ${variable}`)];
  if (channels.includes("stdout")) parts.push(...tidyLines(effect.stdout));
  if (channels.includes("files")) for (const [path, text] of Object.entries(effect.files)) parts.push(`==> ${path} <==`, ...tidyLines(text));
  if (channels.includes("state")) for (const [key, value] of Object.entries(effect.state_diff)) parts.push(`state: ${key} = ${typeof value === "string" ? value : JSON.stringify(value)}`);
  return parts;
}

// Where a mask takes something out of a line: its match without the groups that it keeps.
function maskedSpans(line, mask) {
  const spans = [];
  for (const match of line.matchAll(mask.find)) {
    const kept = [...mask.to.matchAll(/\$(\d)/g)].map(([, group]) => match.indices[group]).filter((span) => span);
    let from = match.index;
    for (const [begin, end] of kept.sort((x, y) => x[0] - y[0])) { spans.push([from, begin]); from = end; }
    spans.push([from, match.index + match[0].length]);
  }
  return spans;
}

// Which cells of a line of a CSV report are measured: [from, to] of their numbers.
function readingSpans(line, effect, readings) {
  const cells = line.split(","), spans = [];
  const reports = (effect.columns || []).map((fields) => fields.split(",").map((field) => readings.length > 0 && fitsPrograms(readings, [field])));
  let at = 0;
  cells.forEach((cell, i) => {
    const number = /^\s*([-.\d]+)/.exec(cell);
    if (number && reports.some((report) => report.length === cells.length && report[i])) spans.push([at + number[0].length - number[1].length, at + number[0].length]);
    at += cell.length + 1;
  });
  return spans;
}

// The lines of an effect as { text, key, spans }: key is what is compared, spans what is masked.
function maskedLines(effect, channels, rules) {
  const masks = (rules?.masks || []).filter((mask) => fitsPrograms(mask.programs, effect.programs || []))
    .map((mask) => ({ find: new RegExp(mask.pattern, "gmd"), to: mask.with.replace(/\$/g, "$$$$").replace(/\\(\d)/g, "$$$1") }));
  return effectLines(effect, channels).map((text) => {
    const readings = readingSpans(text, effect, rules?.readings || []);
    let key = text;
    for (const [from, to] of [...readings].reverse()) key = `${key.slice(0, from)}<v>${key.slice(to)}`;
    for (const mask of masks) key = key.replace(mask.find, mask.to);
    return { text, key, spans: [...readings, ...masks.flatMap((mask) => maskedSpans(text, mask))] };
  });
}

// The longest common subsequence of two lists of lines: [sign, line], "-" of a alone, "+" of b alone.
function lineDiff(a, b) {
  const keep = new Array(a.length + 1);
  for (let i = a.length; i >= 0; i--) {
    keep[i] = new Uint16Array(b.length + 1);
    for (let j = b.length - 1; i < a.length && j >= 0; j--) keep[i][j] = a[i].key === b[j].key ? keep[i + 1][j + 1] + 1 : Math.max(keep[i + 1][j], keep[i][j + 1]);
  }
  const lines = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i].key === b[j].key) { lines.push([" ", b[j++]]); i++; }
    else if (j === b.length || i < a.length && keep[i + 1][j] >= keep[i][j + 1]) lines.push(["-", a[i++]]);
    else lines.push(["+", b[j++]]);
  }
  return lines;
}

function lineNode([sign, line]) {
  const nodes = [];
  let from = 0;
  for (const [begin, end] of line.spans.sort((x, y) => x[0] - y[0] || x[1] - y[1])) {
    if (end <= from || end === begin) continue;
    nodes.push(visible(line.text.slice(from, Math.max(from, begin))), el("span", { class: "masked" }, visible(line.text.slice(Math.max(from, begin), end))));
    from = end;
  }
  const name = sign === "-" ? "only the reference: " : sign === "+" ? "only the answer: " : null;
  return el("div", { class: sign === "-" ? "d-less" : sign === "+" ? "d-more" : null }, el("span", { class: "sign", "aria-hidden": "true" }, `${sign} `), name ? el("span", { class: "unseen" }, name) : null, ...nodes, visible(line.text.slice(from)));
}

const exitWords = (effect) => effect.timed_out ? "ended for a limit" : effect.unbounded ? "never ends" : `exit ${effect.exit}`;

// Nothing where the turn's observation is of another kind.
function effects(turn, sample) {
  let seen;
  try { seen = JSON.parse(turn.observation); } catch { return null; }
  if (!seen?.answer || typeof seen.answer.stdout !== "string") return null;
  const answer = seen.answer, reference = seen.reference ?? answer, channels = sample.extra.compare || ["exit", "stdout", "files", "state"];
  const [wanted, done] = [reference, answer].map((effect) => maskedLines(effect, channels, data.rules?.cmdgen).slice(0, LONGEST_DIFF));
  const lines = lineDiff(wanted, done), differs = lines.some(([sign]) => sign !== " ");
  const row = (name, of) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, visible(of(reference))), el("td", {}, visible(of(answer))));
  const facts = el("table", { class: "plain" }, el("thead", {}, el("tr", {}, ["", "reference", "answer"].map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, row("ended", exitWords), row("programs", (effect) => effect.programs.join(", ") || "none"),
      reference.stderr || answer.stderr ? row("errors", (effect) => effect.stderr.trim() || "none") : null));
  const diff = el("pre", { class: "diff", tabindex: "0" }, lines.map(lineNode));
  const note = el("p", { class: "note" }, "\u2212 only the reference, + only the answer; ", el("span", { class: "masked" }, "grey"), " is masked before lines are compared: times and measured values.");
  return block("What the commands did", facts, !lines.length ? el("p", { class: "quiet" }, "Neither printed or changed anything.") : differs ? [diff, note] : [el("p", {}, "Both printed and changed the same."), fold("all of it", diff, note)],
    fold("as it was stored", pre(visible(turn.observation))));
}
