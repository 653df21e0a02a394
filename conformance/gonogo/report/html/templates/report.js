// Search and filter, links that open what they lead to, and buttons that copy a command. All is there without this, too.
(() => {
  const every = (selector, root = document) => [...root.querySelectorAll(selector)];
  const finder = document.getElementById("finder"), input = document.getElementById("find");
  const matches = document.getElementById("matches"), nothing = document.getElementById("nothing");
  const chips = every("[data-only]"), rules = every(".rule"), groups = every("[data-group]");
  const others = every(".cause, .stream");
  const text = new Map([...rules, ...others].map((item) => [item, item.dataset.find.toLowerCase()]));

  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const only = new Set(chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.only));
    const fits = (item) => words.every((word) => text.get(item).includes(word));
    const filtered = words.length > 0 || only.size > 0;
    let shown = 0;
    for (const item of others) item.hidden = !fits(item);
    for (const rule of rules) {
      rule.hidden = !fits(rule) || (only.size > 0 && !only.has(rule.dataset.verdict));
      shown += rule.hidden ? 0 : 1;
    }
    for (const group of groups) {
      group.hidden = group.querySelector(".rule:not([hidden])") === null;
      if (filtered) group.open = !group.hidden && shown <= 60;
    }
    nothing.hidden = shown > 0;
    matches.textContent = filtered ? `${shown} of ${rules.length} rules` : "";
  };
  input.addEventListener("input", filter);
  input.addEventListener("keydown", (event) => { if (event.key === "Escape") { input.value = ""; filter(); } });
  for (const chip of chips) chip.addEventListener("click", () => {
    chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
    filter();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
  });
  finder.hidden = false;

  const reveal = () => {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { return; }
    const found = id && document.getElementById(id);
    if (!found) return;
    if (found.closest("[hidden]")) {
      input.value = "";
      for (const chip of chips) chip.setAttribute("aria-pressed", "false");
      filter();
    }
    for (let outer = found.closest("details"); outer; outer = outer.parentElement.closest("details")) outer.open = true;
    found.scrollIntoView({ block: "start" });
    found.focus({ preventScroll: true });
  };
  addEventListener("hashchange", reveal);
  reveal();

  if (navigator.clipboard) for (const button of every(".copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const label = button.firstChild;
      try { await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent); label.data = "Copied"; }
      catch { label.data = "Not allowed"; }
      setTimeout(() => { label.data = "Copy"; }, 1500);
    });
  }

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = every(".cause:not([open])");
    for (const item of opened) item.open = true;
  });
  addEventListener("afterprint", () => { for (const item of opened) item.open = false; });
})();
