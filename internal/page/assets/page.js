// Enhances the page: updates it when data comes, handles keys, and copies Markdown.
(() => {
  const main = () => document.getElementById("main");
  const live = document.getElementById("live");
  const setStatus = (text) => { if (live) live.textContent = text; };

  // Called after each update.
  const init = () => {
    for (const button of document.querySelectorAll("button.copy")) {
      button.hidden = !navigator.clipboard;
    }
    for (const select of document.querySelectorAll(".filter select")) {
      select.onchange = () => select.form.requestSubmit();
    }
  };

  const copy = async () => {
    const text = document.querySelector("#markdown code");
    if (!text || !navigator.clipboard) return;
    await navigator.clipboard.writeText(text.textContent);
    setStatus("copied");
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest("button.copy")) copy();
  });

  // While the user types or selects text, or the page is hidden, updates are postponed.
  const busy = () => {
    const active = document.activeElement;
    return document.hidden || (active && active.matches("input, select")) || String(getSelection()) !== "";
  };

  let pending = false;
  // Replaces the content by that of a new request, and keeps the focus and open details.
  const update = async () => {
    if (busy()) { pending = true; return; }
    pending = false;
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!response.ok) return;
    const next = new DOMParser().parseFromString(await response.text(), "text/html");
    const focused = document.activeElement && document.activeElement.getAttribute("href");
    const open = [...document.querySelectorAll("main details")].map((d) => d.open);
    const newTime = next.querySelector(".asof time"), oldTime = document.querySelector(".asof time");
    if (newTime && oldTime) oldTime.replaceWith(newTime);
    for (const part of ["#main", "nav"]) {
      const from = next.querySelector(part), to = document.querySelector(part);
      if (from && to && from.innerHTML !== to.innerHTML) to.replaceChildren(...from.childNodes);
    }
    document.querySelectorAll("main details").forEach((d, i) => { d.open = open[i] === true; });
    if (focused) {
      const link = [...main().querySelectorAll("a")].find((a) => a.getAttribute("href") === focused);
      if (link) link.focus({ preventScroll: true });
    }
    init();
  };

  if (window.EventSource) {
    const events = new EventSource("/events");
    events.addEventListener("change", () => update().catch(() => setStatus("· update failed")));
    events.onopen = () => setStatus("· live");
    events.onerror = () => setStatus("· not connected");
    document.addEventListener("visibilitychange", () => { if (pending) update().catch(() => {}); });
    addEventListener("pagehide", () => events.close());
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, select, textarea")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const rows = [...document.querySelectorAll("main a.open")];
    const step = { j: 1, k: -1 }[event.key];
    if (step && rows.length) {
      const current = rows.indexOf(document.activeElement);
      const next = rows[Math.min(Math.max(current + step, 0), rows.length - 1)];
      next.focus();
      next.scrollIntoView({ block: "nearest" });
    } else if (event.key === "/") {
      const field = document.getElementById("q");
      if (!field) return;
      event.preventDefault();
      field.focus();
    } else if (event.key === "c") {
      copy();
    }
  });

  init();
})();
