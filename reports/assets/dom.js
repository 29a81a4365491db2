// Making nodes and writing numbers. All text goes into the page as text nodes: nothing of it is markup.

const byId = (id) => document.getElementById(id);

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

const WORDS = {
  correct: ["\u2713", "correct"], partial: ["\u25d0", "partial"], incorrect: ["\u2717", "incorrect"],
  no_answer: ["\u2205", "no answer"], unscored: ["?", "unscored"], failed: ["!", "failed"],
  truncated: ["\u2026", "truncated"], empty: ["\u25a1", "empty"], refused: ["\u2298", "refused"],
  think_only: ["\u25cc", "think-only"], unparsed: ["\u00bf", "unparsed"], cut: ["\u2702", "prompt cut"], ended: ["\u00b7", "ended normally"],
};

const count = (n) => n < 1000 ? `${n}` : n < 999950 ? `${(n / 1e3).toFixed(1)}k` : `${(n / 1e6).toFixed(1)}M`;
const time = (ms) => ms == null ? "" : ms < 1 ? "< 1 ms" : ms < 999.5 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1e3).toFixed(1)} s`;
const percent = (x) => `${(100 * x).toFixed(1)}\u00a0%`;
const number = (value, unit) => value == null ? "\u2013" : unit === "fraction" ? percent(value) : String(Number(value.toPrecision(4)));
// A list shows what a share of one sample is: 1, 0 or a part.
const short = (value, unit) => value == null ? "" : unit === "fraction" && Number.isInteger(value) ? `${value}` : number(value, unit);
const verdict = (name) => el("span", { class: `v-${name}` }, WORDS[name][0], el("span", { class: "word" }, ` ${WORDS[name][1]}`));
