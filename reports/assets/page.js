// The rest of the page, and its start.

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
  else if (event.key === "Enter" && !reading && !event.target.closest("a, button, summary") && shown.row(active)) location.hash = sampleLink(filter.run, shown.row(active));
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

async function start() {
  themeSwitch();
  unfoldForPrint();
  document.querySelectorAll("button.copy").forEach((button) => { button.hidden = false; button.addEventListener("click", copy); });
  data = await unpack("data");
  if (!data.runs.length) return;
  buildBrowser();
  addEventListener("hashchange", readAddress);
  addEventListener("keydown", onKey);
  addEventListener("resize", drawList);
  readAddress();
  warmUp();
}

start();
