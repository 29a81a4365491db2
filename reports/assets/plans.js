// Optiflow: the machine, how long the plans take against the best known and the bound, and which links they use when.

const MOST_ROUNDS = 24, MOST_LINKS = 40;
const microseconds = (ps) => `${(ps / 1e6).toFixed(2)}\u00a0\u00b5s`;

function matrix(machine) {
  const cell = (i, j) => {
    const speed = machine.bandwidth_gbps[i][j], delay = machine.latency_us[i][j];
    if (i === j || !speed || delay == null) return el("td", { class: "num quiet" }, "\u00b7");
    return el("td", { class: "num", title: `${machine.nodes[i]} \u2192 ${machine.nodes[j]}: ${speed} GB/s, ${delay} \u00b5s` }, String(speed), el("small", {}, ` ${delay}`));
  };
  return block(`Machine: ${machine.gpus} GPUs, ${machine.nodes.length - machine.gpus} nodes that forward`, el("div", { class: "scroll" }, el("table", { class: "plain matrix" },
    el("caption", {}, "GB/s of each link, and in small its \u00b5s; row sends, column receives."),
    el("thead", {}, el("tr", {}, el("th", {}), machine.nodes.map((node) => el("th", { class: "num", scope: "col" }, visible(node))))),
    el("tbody", {}, machine.nodes.map((node, i) => el("tr", {}, el("th", { scope: "row" }, visible(node)), machine.nodes.map((_, j) => cell(i, j))))))));
}

function planTimes(plans, extra) {
  const rows = [["the plan it was given", extra.initial_ps], ...plans.map((plan, i) => [`its plan of turn ${i + 1}`, plan?.valid ? plan.latency_ps : null]),
    ["the best known", extra.best_ps], ["the bound", extra.bound_ps]].filter(([, ps]) => ps !== undefined);
  const longest = Math.max(...rows.map(([, ps]) => ps ?? 0));
  const bar = (ps) => svg("svg", { width: "100%", height: "14", role: "img", "aria-label": microseconds(ps) }, svg("rect", { x: "0", y: "2", width: `${100 * ps / longest}%`, height: "10" }), svg("line", { x1: "0", x2: "0", y1: "0", y2: "14" }));
  return block("Time of the plans", el("table", { class: "plain times" }, el("caption", {}, "By the cost model; bars start at 0."),
    el("tbody", {}, rows.map(([name, ps]) => el("tr", { class: name.startsWith("its") ? "own" : null }, el("th", { scope: "row" }, name), el("td", { class: "bar-cell" }, ps == null ? null : bar(ps)),
      el("td", { class: "num" }, ps == null ? el("span", { class: "quiet" }, "no valid plan") : microseconds(ps)))))));
}

// Of each round [[from, to, chunks], ..]: a row a link, a column a round.
function linkUse(plan, machine, title) {
  const rounds = plan.link_use.slice(0, MOST_ROUNDS), links = new Map();
  rounds.forEach((round, i) => round.forEach(([from, to, n]) => {
    const name = `${machine.nodes[from]} \u2192 ${machine.nodes[to]}`;
    if (!links.has(name)) links.set(name, { total: 0, uses: rounds.map(() => 0) });
    links.get(name).total += n;
    links.get(name).uses[i] += n;
  }));
  const most = Math.max(1, ...[...links.values()].flatMap(({ uses }) => uses));
  const rows = [...links].sort(([, x], [, y]) => y.total - x.total);
  const heat = (n) => n === 0 ? "quiet" : `heat${Math.min(4, Math.ceil(4 * n / most))}`;
  const left = [plan.link_use.length > rounds.length ? `${rounds.length} of ${plan.link_use.length} rounds` : "", rows.length > MOST_LINKS ? `the ${MOST_LINKS} busiest of ${rows.length} links` : ""].filter((word) => word);
  return block(title, el("div", { class: "scroll" }, el("table", { class: "plain matrix" },
    el("caption", {}, `Chunks over each link${plan.kind === "rounds" ? ", by round" : "; the plan is one list"}, the busiest link first.${left.length ? ` Shown: ${left.join(", ")}.` : ""}`),
    el("thead", {}, el("tr", {}, el("th", {}), rounds.map((_, i) => el("th", { class: "num", scope: "col" }, plan.kind === "rounds" ? `${i + 1}` : "chunks")))),
    el("tbody", {}, rows.slice(0, MOST_LINKS).map(([name, { uses }]) => el("tr", {}, el("th", { scope: "row" }, visible(name)), uses.map((n) => el("td", { class: `num ${heat(n)}` }, n === 0 ? "\u00b7" : String(n)))))))));
}

// Nothing where the sample is of another kind.
function plans(full, sample) {
  const { machine } = sample.extra;
  if (!machine || !Array.isArray(machine.nodes) || !Array.isArray(machine.bandwidth_gbps)) return null;
  const found = full.turns.map((turn) => { try { return JSON.parse(turn.observation).plan ?? null; } catch { return null; } });
  return [planTimes(found, sample.extra), ...found.map((plan, i) => plan?.link_use ? linkUse(plan, machine, `Links that its plan of turn ${i + 1} uses`) : null), matrix(machine)].filter((node) => node);
}
