// What the page does with scripts: it follows what is new, moves by keys, and copies.
(() => {
  const main = () => document.getElementById("main");
  const live = document.getElementById("live");
  const say = (text) => { if (live) live.textContent = text; };

  const ready = () => {
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
    say("copied");
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest("button.copy")) copy();
  });

  // Somebody who reads or types is not disturbed.
  const busy = () => {
    const active = document.activeElement;
    return document.hidden || (active && active.matches("input, select")) || String(getSelection()) !== "";
  };

  let late = false;
  const follow = async () => {
    if (busy()) { late = true; return; }
    late = false;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const at = document.activeElement && document.activeElement.getAttribute("href");
    const open = [...document.querySelectorAll("main details")].map((d) => d.open);
    const time = fresh.querySelector(".asof time"), was = document.querySelector(".asof time");
    if (time && was) was.replaceWith(time);
    for (const part of ["#main", "nav"]) {
      const from = fresh.querySelector(part), to = document.querySelector(part);
      if (from && to && from.innerHTML !== to.innerHTML) to.replaceChildren(...from.childNodes);
    }
    document.querySelectorAll("main details").forEach((d, i) => { d.open = open[i] === true; });
    if (at) {
      const again = [...main().querySelectorAll("a")].find((a) => a.getAttribute("href") === at);
      if (again) again.focus({ preventScroll: true });
    }
    ready();
  };

  if (window.EventSource) {
    const events = new EventSource("/events");
    events.addEventListener("change", () => follow().catch(() => say("· cannot be followed")));
    events.onopen = () => say("· live");
    events.onerror = () => say("· not connected");
    document.addEventListener("visibilitychange", () => { if (late) follow().catch(() => {}); });
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
      const now = rows.indexOf(document.activeElement);
      const next = rows[Math.min(Math.max(now + step, 0), rows.length - 1)];
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

  ready();
})();
