// The samples of all runs. What a list of one run needs is unpacked first, the other runs and all texts while it
// is looked at. Of each run the page holds columns: texts with DEL between them, which none of them has, and
// numbers with commas. A column is split when it is first needed, and a row made when it is looked at: [id, repeat, verdict,
// values, answer, reason, tokens in, tokens out, ms, flags, groups, text, what a search reads]; the last comes later still.

const ID = 0, REPEAT = 1, VERDICT = 2, VALUES = 3, ANSWER = 4, REASON = 5, IN = 6, OUT = 7, MS = 8, FLAGS = 9, GROUPS = 10, TEXT = 11, HAY = 12;
const BETWEEN = "\u007f";
const ENDINGS = ["truncated", "empty", "refused", "think_only", "unparsed", "cut", "ended"];  // bits of the flags
let data = null;

// Base64 without its own function takes a loop; a callback a byte would take ten times as long.
function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const packed = atob(text), bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  return bytes;
}

async function unpack(name) {
  const node = byId(name);
  if (node.type === "application/json") return JSON.parse(node.textContent);
  const stream = new Blob([bytesOf(node.textContent)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

// The columns of runs, each unpacked once.
const unpackRuns = (runs) => Promise.all(runs.map(async (run) => { run.columns = await (run.unpacking ||= unpack(`data-run-${data.runs.indexOf(run)}`)); }));

let unpackingAll = null;
const unpackAll = () => unpackingAll ||= (async () => {
  await unpackRuns(data.runs);
  if (byId("data-texts")) Object.assign(data, await unpack("data-texts"));
  data.isUnpacked = true;
})();

const numbers = (text) => JSON.parse(`[${text}]`);

// A column of a run; where all of its cells are `none`, the page leaves it out.
function column(run, name, none) {
  const text = run.columns[name];
  if (text === undefined) return { at: () => none };
  run.split ||= {};
  return run.split[name] ??= name === "id" || name === "answer" || name === "reason" ? text.split(BETWEEN) : numbers(text);
}

const valuesOf = (run) => run.values ||= run.columns.values.map(numbers);

function rowAt(run, i) {
  if (i < 0 || i >= run.n) return undefined;
  run.rows ||= new Array(run.n);
  return run.rows[i] ??= [column(run, "id").at(i), column(run, "repeat", 0).at(i), data.verdicts[column(run, "verdict").at(i)], valuesOf(run).map((values) => values[i]),
    column(run, "answer").at(i), column(run, "reason").at(i), column(run, "in").at(i), column(run, "out").at(i), column(run, "ms", null).at(i), column(run, "flags").at(i),
    data.groupings[column(run, "grouping").at(i)], column(run, "text", null).at(i)];
}

function rowsOf(run) {
  if (!run.isWhole) for (let i = 0; i < run.n; i++) rowAt(run, i);
  run.isWhole = true;
  return run.rows || [];
}

// Where a sample stands in its run, or -1.
function placeOf(run, id, repeat) {
  if (!run.n) return -1;
  const ids = column(run, "id"), repeats = column(run, "repeat", 0);
  let i = ids.indexOf(id);
  while (i >= 0 && repeats.at(i) !== repeat) i = ids.indexOf(id, i + 1);
  return i;
}
const twinOf = (run, row) => rowAt(run, placeOf(run, row[ID], row[REPEAT]));

// What is listed: all rows in the data's order, of which only those in sight are made, or some in some order.
const everyRow = (run) => ({ length: run.n, row: (i) => rowAt(run, i), place: (row) => placeOf(run, row[ID], row[REPEAT]) });
const someRows = (rows) => ({ length: rows.length, row: (i) => rows[i], place: (row) => rows.indexOf(row) });

const textOf = (row) => data.texts && row[TEXT] != null ? data.texts[row[TEXT]] : null;

function haystack(row) {
  if (row[HAY] == null) {
    const parts = [row[ID], row[ANSWER], row[REASON]];
    const full = textOf(row);
    if (full) {
      const sample = data.samples[full.sample];
      parts.push(sample.input, ...sample.targets, ...(sample.choices || []));
      for (const turn of full.turns) parts.push(turn.completion || "");
    }
    row[HAY] = parts.join("\n").toLowerCase();
  }
  return row[HAY];
}

// The rest of the data is unpacked, and rows, what a search reads of them and which samples flip are made while nobody
// waits, so that the first time is as fast as the others.
async function warmUp() {
  await new Promise((done) => setTimeout(done, 200));
  await unpackAll();
  const tasks = [];
  for (const run of data.runs)
    for (let from = 0; from < run.n; from += 4000)
      tasks.push(() => { for (let i = from; i < Math.min(run.n, from + 4000); i++) haystack(rowAt(run, i)); });
  for (const { a, b } of data.comparisons) tasks.push(() => flipsOf(data.runs[a], data.runs[b]));
  const next = () => { tasks.shift()?.(); if (tasks.length) setTimeout(next, 4); };
  next();
}

// What takes a walk over all rows of a run is worked out once a run.
const facts = new Map();
function factsOf(run) {
  if (!facts.has(run)) {
    const ids = run.n ? column(run, "id") : [];
    const longest = ids.reduce((most, id) => Math.max(most, id.length), 6);
    facts.set(run, { longest, prefix: commonPrefix(ids), counts: countShown(run), orders: new Map(), scored: new Map(), flips: new Map() });
  }
  return facts.get(run);
}

// How much of the ids is the same in all of a run, up to a dash: a narrow list leaves it out.
function commonPrefix(ids) {
  if (ids.length < 2) return 0;
  let prefix = ids[0];
  for (const id of ids) while (!id.startsWith(prefix)) prefix = prefix.slice(0, -1);
  return ids[0].lastIndexOf("-", prefix.length - 1) + 1;
}

// [number, how often] of small numbers from 0.
function tally(values) {
  const uses = [];
  for (const value of values) uses[value] = (uses[value] || 0) + 1;
  return [...uses.entries()].filter(([, n]) => n);
}

// How many rows there are by verdict and by ending.
function countsOf(verdicts, flags) {
  const counts = {};
  for (const [verdict, n] of tally(verdicts)) counts[data.verdicts[verdict]] = n;
  for (const [bits, n] of tally(flags))
    ENDINGS.forEach((name, bit) => { if (bits >> bit & 1) counts[name] = (counts[name] || 0) + n; });
  return counts;
}
const countShown = (run) => run.n ? countsOf(column(run, "verdict"), column(run, "flags")) : {};
const countRows = (rows) => countsOf(rows.map((row) => data.verdicts.indexOf(row[VERDICT])), rows.map((row) => row[FLAGS]));

// How many rows each group has: [field, [[key, rows], ..]], keys in a reader's order.
function groupsOf(run) {
  const known = factsOf(run);
  if (!known.groups) {
    const uses = tally(run.n ? column(run, "grouping") : []);
    const compare = new Intl.Collator("en", { numeric: true }).compare;
    known.groups = run.by.map((by, i) => {
      const keys = new Map();
      for (const [grouping, n] of uses) for (const key of data.groupings[grouping][i]) keys.set(key, (keys.get(key) || 0) + n);
      return [by, [...keys].sort(([a], [b]) => compare(a, b))];
    });
  }
  return known.groups;
}

// Has any sample a value of the metric? Those over several samples have none of one.
function isScored(run, metric) {
  const { scored } = factsOf(run);
  if (!scored.has(metric)) scored.set(metric, valuesOf(run)[metric].some((value) => value != null));
  return scored.get(metric);
}

// A part of a score is right, wrong, something between, or not asked for.
const kindOf = (value) => value == null ? "none" : value === 1 || value === 0 ? `${value}` : "between";

// [metric, [[kind, rows], ..]] of those that are shares and differ.
function partsOf(run) {
  const known = factsOf(run);
  if (!known.parts) {
    known.parts = [];
    run.metrics.forEach(([name, unit], i) => {
      if (unit !== "fraction" || !isScored(run, i)) return;
      let [right, wrong, none] = [0, 0, 0];
      for (const value of valuesOf(run)[i]) { if (value === 1) right++; else if (value === 0) wrong++; else if (value == null) none++; }
      const counts = { 1: right, between: run.n - right - wrong - none, 0: wrong, none };
      const kinds = ["1", "between", "0", "none"].filter((kind) => counts[kind]).map((kind) => [kind, counts[kind]]);
      if (kinds.length > 1) known.parts.push([name, kinds]);
    });
  }
  return known.parts;
}

// By which metric two runs are held against each other, as its place in `run`.
function comparedMetric(run, other) {
  const [a, b] = [data.runs.indexOf(run), data.runs.indexOf(other)];
  const comparison = data.comparisons.find((c) => c.a === a && c.b === b || c.a === b && c.b === a);
  return Math.max(0, run.metrics.findIndex(([name]) => comparison && name === comparison.metric));
}

// The samples of a run: id -> its first row and the mean of its repeats, where it has a value.
function meansOf(run, metric) {
  const means = new Map();
  for (const row of rowsOf(run)) {
    let mean = means.get(row[ID]);
    if (!mean) means.set(row[ID], mean = { row, sum: 0, n: 0 });
    const value = row[VALUES][metric];
    if (value != null) { mean.sum += value; mean.n++; }
  }
  return means;
}

// The samples on which two runs differ: row of `run` -> { twin, mine, its }.
function flipsOf(run, other) {
  const { flips } = factsOf(run);
  if (!flips.has(other)) {
    const found = new Map(), metric = comparedMetric(run, other);
    const name = (run.metrics[metric] || [])[0];
    const theirs = meansOf(other, other.metrics.findIndex((m) => m[0] === name));
    for (const [id, mine] of meansOf(run, metric)) {
      const its = theirs.get(id);
      if (!its || !mine.n || !its.n) continue;
      const [x, y] = [mine.sum / mine.n, its.sum / its.n];
      if (x !== y) found.set(mine.row, { twin: its.row, mine: x, its: y });
    }
    flips.set(other, found);
  }
  return flips.get(other);
}

function runName(run) {
  const number = run.id == null ? "" : `run ${run.id}: `;
  return visible(`${number}${run.task}, ${data.models[run.model]}`);
}
