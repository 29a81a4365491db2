// What of a run is shown and in which order. The address holds it:
// #samples?run=0&vs=1&show=no_answer&by=group&key=single&part=table&is=0&q=text&sort=-score, #sample?...&id=..&repeat=0

const NOTHING = { run: 0, vs: "", show: "", by: "", key: "", part: "", is: "", q: "", sort: "" };
let filter = { ...NOTHING }, listed = null;  // the filter whose rows are shown
let asks = 0;                                // of whenUnpacked()
let shown = someRows([]), active = 0;

const runOf = () => data.runs[filter.run];
const otherOf = () => filter.vs === "" ? null : data.runs[filter.vs];

function query(extra) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...filter, ...extra })) if (value !== "" && value != null) params.set(name, value);
  return params.toString();
}

const sampleLink = (run, row, extra) => `#sample?${query({ run, id: row[ID], repeat: row[REPEAT] || "", ...extra })}`;

// Calls `act` once what the filter's list reads is unpacked: at once if it is, and never if it was asked again
// meanwhile, for another filter or place of the page. One sample is shown with those of all runs, and a search reads texts.
function whenUnpacked(isOne, act) {
  const runs = [runOf(), otherOf()].filter((run) => run && !run.columns), mine = ++asks;
  const isAll = (isOne || filter.q) && !data.isUnpacked;
  if (!isAll && !runs.length) return act();
  (isAll ? unpackAll() : unpackRuns(runs)).then(() => { if (asks === mine) act(); });
}

function readAddress() {
  const [page, rest] = location.hash.slice(1).split("?");
  const params = new URLSearchParams(rest || "");
  if (page === "samples" || page === "sample") {
    filter = { ...NOTHING };
    for (const name of Object.keys(NOTHING)) filter[name] = params.get(name) ?? NOTHING[name];
    filter.run = data.runs[Number(filter.run)] ? Number(filter.run) : 0;
    const other = data.runs[Number(filter.vs)];
    filter.vs = filter.vs !== "" && other && other !== runOf() && other.task === runOf().task ? Number(filter.vs) : "";
  }
  whenUnpacked(page === "sample", () => {
    if (listed !== filter) showList();
    showPage(page, params);
  });
}

function showPage(page, params) {
  const reading = page === "sample" && openSample(params.get("id"), Number(params.get("repeat") || 0));
  document.body.classList.toggle("reading", reading);
  byId("sample").hidden = !reading;
  if (reading) window.scrollTo(0, 0);
  else if (page) byId(page)?.scrollIntoView();
}

// How the answer ended, or its verdict, as a test of a row.
function showTest() {
  const bit = ENDINGS.indexOf(filter.show);
  if (bit >= 0) return (row) => row[FLAGS] >> bit & 1;
  return filter.show ? (row) => row[VERDICT] === filter.show : null;
}

// Of answers that are not right, by what their reason has: "reason: records missed".
const REASON_WORDS = "reason:";
const reasonTest = (words) => (row) => row[VERDICT] !== "correct" && (row[REASON] || "").toLowerCase().includes(words);

// The other filters.
function tests(run) {
  const list = [];
  if (filter.by) {
    const at = run.by.indexOf(filter.by);
    list.push((row) => (row[GROUPS][at] || []).includes(filter.key));
  }
  if (filter.part) {
    const at = run.metrics.findIndex(([name]) => name === filter.part);
    list.push((row) => kindOf(row[VALUES][at]) === filter.is);
  }
  if (otherOf()) {
    const flips = flipsOf(run, otherOf());
    list.push((row) => flips.has(row));
  }
  if (filter.q) {
    const words = filter.q.toLowerCase();
    list.push(words.startsWith(REASON_WORDS) ? reasonTest(words.slice(REASON_WORDS.length).trim()) : (row) => haystack(row).includes(words));
  }
  return list;
}

const KEYS = {
  id: (row) => row[ID], group: (row) => (row[GROUPS][0] || []).join(", "), verdict: (row) => Object.keys(WORDS).indexOf(row[VERDICT]),
  score: (row) => row[VALUES][0], answer: (row) => row[ANSWER], reason: (row) => row[REASON], tokens: (row) => row[IN] + row[OUT], time: (row) => row[MS],
};

// The rows of a run in the order asked for; of equals the data's order. What has no value comes last either way.
function ordered(run) {
  const name = filter.sort.replace(/^-/, ""), down = filter.sort.startsWith("-");
  const key = KEYS[name];
  if (!key) return rowsOf(run);
  const { orders } = factsOf(run);
  if (!orders.has(filter.sort)) {
    const rows = rowsOf(run), keys = rows.map(key), places = keys.map((_, i) => i), sign = down ? -1 : 1;
    places.sort((i, j) => {
      const x = keys[i], y = keys[j];
      if (x == null || y == null) return (x == null) - (y == null) || i - j;
      return (x < y ? -sign : x > y ? sign : 0) || i - j;
    });
    orders.set(filter.sort, places.map((i) => rows[i]));
  }
  return orders.get(filter.sort);
}

function showList() {
  const run = runOf(), list = tests(run), show = showTest();
  const rows = list.length || show || filter.sort ? ordered(run).filter((row) => list.every((test) => test(row))) : null;
  shown = rows ? someRows(show ? rows.filter(show) : rows) : everyRow(run);
  listed = filter;
  active = 0;
  drawControls(list.length ? countRows(rows) : factsOf(run).counts, rows ? rows.length : run.n);
  byId("list").style.setProperty("--id", `${Math.min(30, factsOf(run).longest + 1)}ch`);
  byId("list").scrollTop = 0;
  drawList();
}

function setFilter(change) {
  filter = { ...filter, ...change };
  history.replaceState(null, "", `#samples?${query()}`);
  whenUnpacked(false, showList);
}
