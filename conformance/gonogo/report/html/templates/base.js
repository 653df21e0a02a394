"use strict";
// The theme: that of the system, or the one that was chosen here.
(() => {
  const key = "gonogo-theme", order = ["system", "light", "dark"], button = document.getElementById("theme-switch");
  const stored = () => { try { return localStorage.getItem(key); } catch { return null; } };
  const show = (theme) => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.querySelector("span").textContent = theme;
  };
  let theme = order.includes(stored()) ? stored() : "system";
  button.hidden = false;
  button.addEventListener("click", () => {
    theme = order[(order.indexOf(theme) + 1) % order.length];
    try { localStorage.setItem(key, theme); } catch { /* a page from a file may have no storage */ }
    show(theme);
  });
  show(theme);
})();
