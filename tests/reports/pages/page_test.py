#!/usr/bin/env python3
"""The HTML pages as a reader meets them, in headless Chromium.

  page_test.py WRITE_PAGE                what a page shows and does
  page_test.py WRITE_PAGE --large SLACK  200,000 records: how soon they are there and filtered, in SLACK times the limits;
                                         1 on a machine with nothing else to do
  page_test.py MICIUS --sweep            the report of three models on the four AIMicius suites

Exit 4: skipped, with the reason."""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import browser

OPEN_LIMIT_MS, FILTER_LIMIT_MS = 1000, 100
READY = "document.querySelector('#space a.row')"

# Colours of every text in sight against what is behind it, and labels of what can be used.
CONTRAST = """(() => {
  const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return text.startsWith("color(") ? n.map((v, i) => i < 3 ? v * 255 : v) : n; };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (node) => {
    for (; node; node = node.parentElement) { const c = parse(getComputedStyle(node).backgroundColor); if (c.length < 4 || c[3] === 1) return c; }
    return [255, 255, 255];
  };
  const poor = [];
  for (const node of document.body.querySelectorAll("*")) {
    if (!node.checkVisibility() || ![...node.childNodes].some((c) => c.nodeType === 3 && c.data.trim())) continue;
    if (node.matches("script, noscript, button:disabled")) continue;
    const style = getComputedStyle(node), x = light(parse(node.namespaceURI.endsWith("svg") ? style.fill : style.color)), y = light(behind(node));
    const ratio = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${node.tagName}.${node.className.baseVal ?? node.className}: ${node.textContent.slice(0, 40)}`);
  }
  return [...new Set(poor)].slice(0, 10);
})()"""
UNLABELLED = """[...document.querySelectorAll("svg[role=img]:not([aria-label]), svg:not([role]):not([aria-hidden]), input, select, button")]
  .filter((n) => n.checkVisibility() && !n.closest("svg svg") && !n.getAttribute("aria-label") && !n.textContent.trim() && !n.labels?.[0]?.textContent.trim())
  .map((n) => n.outerHTML.slice(0, 120))"""
WIDE = """[...document.body.querySelectorAll("*")].filter((n) => n.getBoundingClientRect().right > innerWidth + 1 && n.checkVisibility()
  && !n.closest(".scroll, .list, pre, nav, code, .skip, svg")).map((n) => `${n.tagName}.${n.className} ${Math.round(n.getBoundingClientRect().right)}`).slice(0, 5)"""


class Failures:
    def __init__(self):
        self.count = 0

    def check(self, good, what):
        if not good:
            self.count += 1
            print(f"FAILED: {what}")

    def equal(self, found, expected, what):
        self.check(found == expected, f"{what}: {found!r}, not {expected!r}")


def write(program, kind, models, samples, folder):
    path = pathlib.Path(folder) / f"{kind}-{models}-{samples}.html"
    out = subprocess.run([program, kind, str(models), str(samples), str(path)], check=True, capture_output=True).stdout
    return path, json.loads(out)


def shown(page):
    return page.evaluate("document.getElementById('count').textContent")


def texts(page, selector):
    return page.evaluate(f"[...document.querySelectorAll({json.dumps(selector)})].map((n) => n.textContent)")


def click(page, selector):
    page.evaluate(f"document.querySelector({json.dumps(selector)}).click()")


def check_sorting(page, fail):
    click(page, "[data-sort=score]")
    fail.equal(texts(page, "#space .row > .num")[0], "0", "the least score first")
    fail.equal(page.evaluate("document.querySelector('[aria-sort]').getAttribute('aria-sort')"), "ascending", "aria-sort")
    click(page, "[data-sort=score]")
    fail.equal(texts(page, "#space .row > .num")[0], "1", "the highest score first")
    click(page, "[data-sort=score]")
    fail.equal(texts(page, "#space .c-id")[0], "made-up-000000", "the data's order after a third click")


def check_filters(page, url, fail):
    data, columns = (page.evaluate(f"JSON.parse(document.getElementById('{part}').textContent)") for part in ("data", "data-run-0"))
    run = data["runs"][0]
    numbers = {name: [int(cell) for cell in columns[name].split(",")] for name in ("verdict", "flags")}
    silent = sum(data["verdicts"][verdict] == "no_answer" for verdict in numbers["verdict"])
    click(page, "[data-show=no_answer]")
    fail.equal(shown(page), f"{silent} of {run['n']}", "rows without an answer")
    fail.check("show=no_answer" in page.evaluate("location.hash"), "the address holds the filter")
    page.open(url + page.evaluate("location.hash"))
    page.wait(READY)
    fail.equal(shown(page), f"{silent} of {run['n']}", "the filter of the address after a reload")
    cut = sum(flags & 1 for flags in numbers["flags"])
    click(page, "[data-show=truncated]")
    fail.equal(shown(page), f"{cut} of {run['n']}", "truncated rows")
    click(page, "[data-show='']")
    page.evaluate("""(() => { const s = document.getElementById('group'); s.value = JSON.stringify(['group', 'group 2']); s.dispatchEvent(new Event('change')); })()""")
    fail.equal(set(texts(page, "#space .c-group")), {"group 2"}, "rows of one group")
    page.evaluate("""(() => { const s = document.getElementById('group'); s.value = ''; s.dispatchEvent(new Event('change')); })()""")


def check_keys(page, fail):
    page.press("/")
    fail.equal(page.evaluate("document.activeElement.id"), "search", "/ goes to the search")
    page.type("Question 12:")
    fail.check(shown(page).startswith("1 of "), f"the search finds one question: {shown(page)}")
    page.press("Enter")
    fail.equal(page.evaluate("document.activeElement.id"), "list", "Enter leaves the search for the list")
    page.press("Enter")
    page.wait("document.body.classList.contains('reading')")
    fail.check("made-up-000012" in texts(page, "#sample h2")[0], "Enter opens the sample")
    fail.check("<b>it</b>" in "".join(texts(page, "#sample pre")) or texts(page, "#sample .quiet"), "markup is shown as text")
    page.press("Escape")
    page.wait("!document.body.classList.contains('reading')")
    page.evaluate("(() => { const s = document.getElementById('search'); s.value = ''; s.dispatchEvent(new Event('input')); })()")
    page.press("j")
    page.press("j")
    page.press("k")
    fail.equal(page.evaluate("document.querySelector('.row.active').getAttribute('aria-rowindex')"), "3", "j and k move")


def check_newest_link(page, fail):
    """A sample that was asked for while texts were unpacked does not open over what was asked for later."""
    page.evaluate("""(() => {
        data.isUnpacked = false;
        unpackingAll = new Promise((go) => { window.unpackNow = () => { data.isUnpacked = true; go(); }; });
        location.hash = document.querySelector('#space a.row').hash;
    })()""")
    page.wait("location.hash.startsWith('#sample?')")
    page.evaluate("location.hash = '#how'")
    page.evaluate("new Promise((go) => { window.unpackNow(); setTimeout(go, 100); })")
    fail.check(not page.evaluate("document.body.classList.contains('reading')"), "the newest link is followed")


def check_flips(page, url, comparisons, fail):
    for b, comparison in enumerate(comparisons, 1):
        page.open(f"{url}#samples?run=0&vs={b}")
        page.wait(READY)
        total = comparison["samples"]
        fail.equal(shown(page), f"{len(comparison['flips'])} of {total}", f"flips against run {b}")
        listed = page.evaluate("document.querySelector(`#versus a[href$='vs=%d']`).textContent" % b)
        fail.equal(listed, str(len(comparison["flips"])), "flips in the table")
        fail.equal(texts(page, "#space .c-id")[0], comparison["flips"][0]["sample_id"], "the first flip")
        click(page, "#space a.row")
        page.wait("document.querySelector('.sides')")
        heads = texts(page, ".sides h4")
        fail.equal(heads, [comparison["a"]["model"], comparison["b"]["model"]], "both models side by side")
        answers = [comparison["flips"][0]["a"], comparison["flips"][0]["b"]]
        fail.equal([a in text for a, text in zip(answers, texts(page, ".sides > div"))], [True, True], "both answers")


def check_themes(page, fail):
    backgrounds = []
    for _ in range(3):
        click(page, "#theme")
        backgrounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        fail.equal(page.evaluate(CONTRAST), [], f"contrast, {texts(page, '#theme')[0]}")
    fail.equal(len(set(backgrounds)), 2, "light and dark")


def check_page(page, url, comparisons, fail):
    page.open(url)
    page.wait(READY)
    check_sorting(page, fail)
    check_filters(page, url, fail)
    check_keys(page, fail)
    check_newest_link(page, fail)
    check_flips(page, url, comparisons, fail)
    page.open(url)
    page.wait(READY)
    fail.equal(page.evaluate(UNLABELLED), [], "without a label")
    check_themes(page, fail)
    for width in (390, 768, 1280, 2560):
        page.size(width, 900)
        fail.check(page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{width} px wide, it scrolls")
        fail.equal(page.evaluate(WIDE), [], f"beyond {width} px")
    page.size(1280, 900)
    page.send("Emulation.setEmulatedMedia", {"media": "print"})
    fail.check(page.evaluate("!document.getElementById('samples').checkVisibility() && document.getElementById('versus').checkVisibility()"), "print")
    page.send("Emulation.setEmulatedMedia", {"media": ""})
    fail.equal(page.errors(), [], "the console")


def check_suites(page, url, fail):
    page.open(f"{url}#sample?run=0&id=command-1")
    page.wait("document.querySelector('.diff')")
    fail.equal(texts(page, ".diff .d-less"), ["- only the reference: fan 50"], "the reference's line")
    fail.equal(texts(page, ".diff .d-more"), ["+ only the answer: fan 30"], "the answer's line")
    fail.equal(texts(page, ".diff > div:first-child"), ["  GPU 0: 41C"], "a line that differs in what is masked is one")
    fail.equal(texts(page, ".diff .masked"), ["41"], "what is masked")
    fail.check("end <b>" in texts(page, ".diff")[0], "markup of an output is text")
    page.open(f"{url}#sample?run=1&id=plan-1")
    page.wait("document.querySelector('.matrix')")
    fail.equal(texts(page, ".times tbody td.num"), [f"{t}\u00a0\u00b5s" for t in ("8.00", "4.00")] + ["no valid plan"] +
               [f"{t}\u00a0\u00b5s" for t in ("3.00", "2.50")], "times")
    fail.equal(page.evaluate("[...document.querySelectorAll('.times rect')].map((r) => r.getAttribute('width'))"),
               ["100%", "50%", "37.5%", "31.25%"], "bars")
    use = "[...document.querySelector('.matrix').querySelectorAll('tbody tr')].map((r) => r.textContent)"
    fail.equal(page.evaluate(use)[0], "GPU-0 \u2192 Switch3\u00b7", "the busiest link, by round")
    fail.check(texts(page, ".matrix:last-of-type tbody tr")[-1].startswith("Switch200"), "the machine's matrix")
    for _ in range(2):
        click(page, "#theme")
        fail.equal(page.evaluate(CONTRAST), [], f"contrast of the sample, {texts(page, '#theme')[0]}")
    page.size(390, 900)
    fail.check(page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "a sample 390 px wide scrolls")
    fail.equal(page.errors(), [], "the console")


def check_without_script(page, url, fail):
    page.send("Emulation.setScriptExecutionDisabled", {"value": True})  # of the page; ours still run
    page.open(url)
    for selector in ("#summary table", "#versus .track", "#where .track", "#cost .scatter", "#health table", "#how dl",
                     "#browser[hidden]"):
        fail.check(page.evaluate(f"document.querySelectorAll({json.dumps(selector)}).length") > 0,
                   f"without script: {selector}")
    fail.check(not page.evaluate(READY), "without script: no row is drawn")
    page.send("Emulation.setScriptExecutionDisabled", {"value": False})


def small(program, path, folder):
    fail = Failures()
    chromium = browser.Browser(path)
    try:
        for kind in ("report", "comparison"):
            file, comparisons = write(program, kind, 3, 300, folder)
            check_page(browser.Page(chromium), file.as_uri(), comparisons["comparisons"], fail)
            print(f"{kind}: {file.stat().st_size} bytes")
        file, _ = write(program, "suites", 1, 1, folder)
        check_suites(browser.Page(chromium), file.as_uri(), fail)
        file, _ = write(program, "report", 3, 300, folder)
        check_without_script(browser.Page(chromium), file.as_uri(), fail)
        file, _ = write(program, "report", 1, 1000, folder)
        fail.check(file.stat().st_size < 2_000_000, f"1,000 samples take {file.stat().st_size} bytes")
    finally:
        chromium.close()
    return fail.count


SUITES, MODELS, SWEPT = ["cmdgen", "infrawise", "optiflow", "nl2kql"], ["reference", "scripted:errors:1", "empty"], 8


def change(page, id, value):
    event = "input" if id == "search" else "change"
    page.evaluate(f"(() => {{ const s = document.getElementById('{id}'); s.value = {json.dumps(value)}; s.dispatchEvent(new Event('{event}')); }})()")


def share(text):  # "1", "0" or "12.5 %"
    return float(text.rstrip("%\u00a0")) / (100 if text.endswith("%") else 1)


def check_run(page, i, task, compared, fail):
    change(page, "run", str(i))
    page.wait(f"document.getElementById('count').textContent === '{SWEPT} of {SWEPT}'")
    for sign in (1, -1):
        click(page, "[data-sort=score]")
        scores = [share(text) for text in texts(page, "#space .row > [class=num]")]
        fail.equal(scores, sorted(scores, reverse=sign < 0), f"run {i} by score")
    click(page, "[data-sort=score]")
    first = page.evaluate("new URLSearchParams(document.querySelector('#space a.row').hash.split('?')[1]).get('id')")
    change(page, "search", first)
    fail.equal(shown(page), f"1 of {SWEPT}", f"run {i}, its first sample searched for")
    click(page, "#space a.row")
    page.wait("document.body.classList.contains('reading')")
    fail.check(first in texts(page, "#sample h2")[0], f"run {i} opens its sample")
    fail.check(len(texts(page, "#sample .others > div")) == len(MODELS) - 1, f"run {i}, {task}: the other models' answers")
    page.press("Escape")
    change(page, "search", "")
    for other, flips in compared:
        change(page, "vs", str(other))
        fail.equal(shown(page), f"{flips} of {SWEPT}", f"flips of run {i} against {other}")
    change(page, "vs", "")


# Each count of "What was wrong" opens the samples that it counts.
def check_wrong(page, fail):
    links = page.evaluate("Array.from(document.querySelectorAll('.wrong a'), (a) => [a.hash, a.textContent])")
    fail.check(len(links) >= len(SUITES), f"{len(links)} reasons")
    for address, count in links:
        page.evaluate(f"location.hash = {json.dumps(address)}")
        page.wait(f"location.hash === {json.dumps(address)} && document.getElementById('search').value.startsWith('reason: ')")
        fail.equal(shown(page), f"{count} of {SWEPT}", address)


def sweep(program, path, folder):
    fail = Failures()
    data = ["--db", f"{folder}/sweep.db"]
    subprocess.run([program, "run", "aimicius", "--model", ",".join(MODELS), "--limit", str(SWEPT), "--progress", "none", *data], check=True, capture_output=True)
    runs = [str(i + 1) for i in range(len(MODELS) * len(SUITES))]
    file = pathlib.Path(folder) / "sweep.html"
    subprocess.run([program, "report", *runs, *data, "-o", file], check=True, capture_output=True)
    compared = json.loads(subprocess.run([program, "compare", *runs, *data, "--format", "json"], check=True, capture_output=True).stdout)
    chromium = browser.Browser(path)
    try:
        page = browser.Page(chromium)
        page.open(file.as_uri())
        page.wait(READY)
        for i in range(len(runs)):
            pairs = [(runs.index(str(c["b"]["run"])), len(c["flips"])) for c in compared["comparisons"] if str(c["a"]["run"]) == runs[i]]
            check_run(page, i, SUITES[i % len(SUITES)], pairs, fail)
        check_wrong(page, fail)
        check_themes(page, fail)
        for width in (390, 1280):
            page.size(width, 900)
            fail.check(page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{width} px wide, it scrolls")
            fail.equal(page.evaluate(WIDE), [], f"beyond {width} px")
        fail.equal(page.errors(), [], "the console")
    finally:
        chromium.close()
    print(f"{len(runs)} runs, {file.stat().st_size} bytes")
    return fail.count


# When the rows were there, in ms since the page was asked for.
WATCH = """(() => { const look = () => { if (document.querySelector("#space a.row")) window.ready = performance.now(); else setTimeout(look, 2); }; look(); })()"""
TIMES = """(async () => {
  const list = document.getElementById("list"), times = {};
  const timed = async (name, act) => {
    const all = [];
    for (let i = 0; i < 5; i++) { await new Promise((r) => setTimeout(r, 20)); const t = performance.now(); act(i); list.offsetHeight; all.push(performance.now() - t); }
    times[name] = all;
  };
  const change = (id, value, event) => { const n = document.getElementById(id); n.value = value; n.dispatchEvent(new Event(event)); };
  await timed("verdict", (i) => document.querySelector(`[data-show=${i % 2 ? "correct" : "incorrect"}]`).click());
  document.querySelector("[data-show='']").click();
  await timed("group", (i) => change("group", JSON.stringify(["group", `group ${i}`]), "change"));
  change("group", "", "change");
  await timed("text", (i) => change("search", `0${i}99`, "input"));
  change("search", "", "input");
  await timed("flips", (i) => change("vs", i % 2 ? "" : "1", "change"));
  return times;
})()"""


def large(program, path, folder, slack):
    fail = Failures()
    file, comparisons = write(program, "report", 2, 100_000, folder)
    chromium = browser.Browser(path)
    try:
        opened = []
        for _ in range(3):
            page = browser.Page(chromium)
            page.send("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
            page.open(file.as_uri())
            page.wait("window.ready", 60)
            opened.append(page.evaluate("window.ready"))
        page.evaluate("new Promise((r) => setTimeout(r, 3000))")  # what a search reads is made meanwhile
        times = page.evaluate(TIMES)
        page.open(file.as_uri() + "#samples?run=0&vs=1")
        page.wait(READY)
        fail.equal(shown(page), f"{len(comparisons['flips'])} of 100000", "flips")
        fail.equal(page.errors(), [], "the console")
    finally:
        chromium.close()
    print(f"{file.stat().st_size} bytes, open after {', '.join(f'{t:.0f}' for t in opened)} ms")
    fail.check(min(opened) <= slack * OPEN_LIMIT_MS, f"open after {min(opened):.0f} ms, not {slack * OPEN_LIMIT_MS:g}")
    for name, all_times in times.items():
        print(f"filter by {name}: {', '.join(f'{t:.0f}' for t in all_times)} ms")
        fail.check(statistics.median(all_times) <= slack * FILTER_LIMIT_MS,
                   f"filter by {name} takes {statistics.median(all_times):.0f} ms, not {slack * FILTER_LIMIT_MS:g}")
    return fail.count


def main():
    path = browser.program()
    if path is None:
        print("skipped: no Chromium on this machine (Debian: apt-get install chromium)")
        return 4
    with tempfile.TemporaryDirectory() as folder:
        if sys.argv[2:3] == ["--large"]:
            failed = large(sys.argv[1], path, folder, float(sys.argv[3]))
        elif sys.argv[2:3] == ["--sweep"]:
            failed = sweep(sys.argv[1], path, folder)
        else:
            failed = small(sys.argv[1], path, folder)
    print("all is well" if failed == 0 else f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
