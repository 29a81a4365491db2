// The samples of all runs. A row is [id, repeat, verdict, values, answer, reason, tokens in, tokens out, ms, flags, groups,
// text, what a search reads]; the last is made when it is needed.

const ID = 0, REPEAT = 1, VERDICT = 2, VALUES = 3, ANSWER = 4, REASON = 5, IN = 6, OUT = 7, MS = 8, FLAGS = 9, GROUPS = 10, TEXT = 11, HAY = 12;
const ENDINGS = ["truncated", "empty", "refused", "think_only", "unparsed", "cut", "ended"];  // bits of the flags
let data = null;

// Base64 without its own function takes a loop; a callback a byte would take ten times as long.
function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const packed = atob(text), bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  return bytes;
}

async function load() {
  const node = byId("data");
  if (node.type === "application/json") return JSON.parse(node.textContent);
  const stream = new Blob([bytesOf(node.textContent)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

function unpack(page) {
  for (const run of page.runs)
    for (const row of run.rows) {
      row[VERDICT] = page.verdicts[row[VERDICT]];
      row[GROUPS] = page.groupings[row[GROUPS]];
    }
  return page;
}

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

// What a search reads and which samples flip is made while nobody waits, so that the first time is as fast as the others.
function warmUp() {
  const tasks = [];
  for (const run of data.runs)
    for (let from = 0; from < run.rows.length; from += 4000)
      tasks.push(() => run.rows.slice(from, from + 4000).forEach(haystack));
  for (const { a, b } of data.comparisons) tasks.push(() => flipsOf(data.runs[a], data.runs[b]));
  const next = () => { tasks.shift()?.(); if (tasks.length) setTimeout(next, 4); };
  setTimeout(next, 200);
}

// What takes a walk over all rows of a run is worked out once a run.
const facts = new Map();
function factsOf(run) {
  if (!facts.has(run)) {
    const longest = run.rows.reduce((most, row) => Math.max(most, row[ID].length), 6);
    facts.set(run, { longest, prefix: commonPrefix(run.rows), counts: countShown(run), orders: new Map(), scored: new Map(), flips: new Map() });
  }
  return facts.get(run);
}

// How much of the ids is the same in all of a run, up to a dash: a narrow list leaves it out.
function commonPrefix(rows) {
  if (rows.length < 2) return 0;
  let length = rows[0][ID].length;
  for (const row of rows) while (!row[ID].startsWith(rows[0][ID].slice(0, length))) length--;
  return rows[0][ID].lastIndexOf("-", length - 1) + 1;
}

function countShown(run) {
  const counts = {};
  const add = (name) => { counts[name] = (counts[name] || 0) + 1; };
  for (const row of run.rows) {
    add(row[VERDICT]);
    ENDINGS.forEach((name, bit) => { if (row[FLAGS] >> bit & 1) add(name); });
  }
  return counts;
}

// How many rows each group has: [field, [[key, rows], ..]], keys in a reader's order.
function groupsOf(run) {
  const known = factsOf(run);
  if (!known.groups) {
    const uses = new Map();
    for (const row of run.rows) uses.set(row[GROUPS], (uses.get(row[GROUPS]) || 0) + 1);
    const compare = new Intl.Collator("en", { numeric: true }).compare;
    known.groups = run.by.map((by, i) => {
      const keys = new Map();
      for (const [grouping, n] of uses) for (const key of grouping[i]) keys.set(key, (keys.get(key) || 0) + n);
      return [by, [...keys].sort(([a], [b]) => compare(a, b))];
    });
  }
  return known.groups;
}

// Has any sample a value of the metric? Those over several samples have none of one.
function isScored(run, metric) {
  const { scored } = factsOf(run);
  if (!scored.has(metric)) scored.set(metric, run.rows.some((row) => row[VALUES][metric] != null));
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
      const counts = { 1: 0, between: 0, 0: 0, none: 0 };
      for (const row of run.rows) counts[kindOf(row[VALUES][i])]++;
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
  for (const row of run.rows) {
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
