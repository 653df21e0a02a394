"use strict";
// Folding, filtering and sorting the matrix; without this script everything is open.
(() => {
  const table = document.getElementById("matrix"), groups = [...table.tBodies];
  const filter = document.getElementById("filter"), differs = document.getElementById("differs");
  const every = document.getElementById("every"), order = document.getElementById("order");
  const button = (group) => group.querySelector(".open");
  const isOpen = (group) => button(group).getAttribute("aria-expanded") === "true";
  document.getElementById("tools").hidden = false;

  const show = () => {
    const wanted = filter.value.trim().toLowerCase(), searching = wanted !== "" || differs.checked;
    let any = false;
    for (const group of groups) {
      let shown = 0;
      for (const row of group.querySelectorAll(".rule")) {
        const text = row.cells[0].textContent.toLowerCase();
        const fits = text.includes(wanted) && (!differs.checked || row.classList.contains("differs"));
        row.hidden = !fits || !(isOpen(group) || wanted !== "");
        shown += fits ? 1 : 0;
      }
      group.hidden = searching && shown === 0;
      any ||= shown > 0;
    }
    document.getElementById("none").hidden = any;
  };
  const open = (group, wanted) => button(group).setAttribute("aria-expanded", String(wanted));

  const arrange = (positions) => {
    for (const row of table.rows) {
      const cells = [...row.cells], byColumn = new Map(cells.slice(1).map((cell) => [cell.dataset.at, cell]));
      row.append(...positions.map((position) => byColumn.get(String(position))));
    }
  };
  for (const row of table.rows) [...row.cells].slice(1).forEach((cell, index) => { cell.dataset.at = index; });
  const heads = [...table.rows[0].cells].slice(1), original = heads.map((_, index) => index);
  order.addEventListener("change", () => {
    const key = order.value, sorted = [...original];
    if (key === "label") sorted.sort((a, b) => heads[a].dataset.label.localeCompare(heads[b].dataset.label));
    if (key === "passed") sorted.sort((a, b) => heads[b].dataset.passed - heads[a].dataset.passed);
    if (key === "failed") sorted.sort((a, b) => heads[a].dataset.failed - heads[b].dataset.failed);
    arrange(sorted);
  });

  // A click on a server puts the groups first in which it is worst; another one puts them back.
  const sorts = [...table.querySelectorAll(".sort")];
  for (const sort of sorts) {
    sort.setAttribute("aria-pressed", "false");
    sort.addEventListener("click", () => {
      const on = sort.getAttribute("aria-pressed") === "false", at = sort.dataset.column;
      for (const other of sorts) other.setAttribute("aria-pressed", String(other === sort && on));
      const rank = (group) => {
        const value = Number(group.querySelector(`.head td[data-at="${at}"]`).dataset.rank);
        return value < 0 ? 2 : value;
      };
      const sorted = [...groups].sort((a, b) => (on ? rank(a) - rank(b) : 0) || a.dataset.order - b.dataset.order);
      table.append(...sorted);
    });
  }

  for (const group of groups) {
    button(group).addEventListener("click", () => { open(group, !isOpen(group)); show(); });
    open(group, false);
  }
  every.addEventListener("click", () => {
    const wanted = !groups.every(isOpen);
    for (const group of groups) open(group, wanted);
    every.textContent = wanted ? "Close all groups" : "Open all groups";
    show();
  });
  differs.addEventListener("change", () => {
    for (const group of groups) open(group, differs.checked);
    show();
  });
  filter.addEventListener("input", show);
  document.getElementById("tools").addEventListener("submit", (event) => event.preventDefault());
  const linked = location.hash && document.getElementById(location.hash.slice(1));
  if (linked) open(linked.closest("tbody"), true);
  show();
  if (linked) linked.scrollIntoView();
})();
