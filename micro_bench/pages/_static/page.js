"use strict";
// Keys, filters, and walking along what a filter shows. Every page works without it.
(() => {
  const body = document.body, up = body.dataset.up, page = body.dataset.page;
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const asked = new URLSearchParams(location.search);

  // --- keys -------------------------------------------------------------------------------
  const keys = { "?": () => one("#keys").showModal() };
  one("#show-keys").addEventListener("click", keys["?"]);
  const typing = (target) => target.closest && target.closest("input, textarea, select, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    if (typing(event.target) && event.key !== "Escape") return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act(event);
  });
  const go = (link) => { if (link && link.href) location.href = link.href; };
  const step = (links, by) => {
    const shown = links().filter((link) => link.offsetParent !== null);
    const at = shown.indexOf(document.activeElement);
    const next = shown[at < 0 ? (by > 0 ? 0 : shown.length - 1) : at + by];
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
  };
  const listed = (selector) => {
    keys.j = () => step(() => all(selector), 1);
    keys.k = () => step(() => all(selector), -1);
  };

  // --- while a run is going on -------------------------------------------------------------
  if (body.dataset.poll && body.dataset.live === "yes") {
    let known = null;
    const look = async () => {
      try {
        const found = JSON.stringify(await (await fetch(up + body.dataset.poll)).json());
        if (known !== null && known !== found && !document.hidden) location.reload();
        known = known === null ? found : known;
      } catch { /* the server has ended: the page stays as it is */ }
    };
    look();
    setInterval(look, 2000);
  }

  if (["runs", "compare", "trend"].includes(page)) listed("a.row");
  if (["compare", "beside", "trend"].includes(page)) keys.Escape = () => go(one("#up"));
  if (page === "run") runPage();
  if (page === "attempt") attemptPage();
  if (page === "card") cardPage();

  // --- a run: filter and order --------------------------------------------------------------
  function runPage() {
    const rows = all(".block > .r").map((el, place) => ({
      el, place, text: el.textContent.toLowerCase(), agent: el.dataset.agent, tier: el.dataset.tier,
      effort: el.dataset.effort, kinds: el.dataset.kinds.split(" "),
      task: el.firstElementChild.textContent, slow: +el.dataset.s, cost: +el.dataset.c,
    }));
    const blocks = all(".block"), size = 50;
    const fields = ["q", "agent", "tier", "effort", "sort"];
    const orders = {
      "": (a, b) => a.place - b.place, slow: (a, b) => b.slow - a.slow, cost: (a, b) => b.cost - a.cost,
      task: (a, b) => a.task.localeCompare(b.task, "en", { numeric: true }) || a.place - b.place,
    };
    const links = rows.flatMap((row) => [...row.el.querySelectorAll("a")].map((a) => [a, a.getAttribute("href")]));
    let order = "", last = null;

    const read = () => {
      const found = new URLSearchParams();
      for (const name of fields) if (one("#" + name).value) found.set(name, one("#" + name).value);
      const kinds = all(".chip[aria-pressed=true]").map((chip) => chip.dataset.kind);
      if (kinds.length) found.set("kind", kinds.join(","));
      return found;
    };
    const show = (found, keep) => {
      const kinds = (found.get("kind") || "").split(",").filter(Boolean);
      const q = (found.get("q") || "").toLowerCase();
      const wanted = (row) =>
        (!q || row.text.includes(q)) && ["agent", "tier", "effort"].every((n) => !found.get(n) || row[n] === found.get(n)) &&
        (!kinds.length || kinds.some((kind) => row.kinds.includes(kind)));
      let count = 0;
      for (const row of rows) {
        const on = wanted(row);
        count += on;
        if (row.el.hidden === on) row.el.hidden = !on;
      }
      const now = orders[found.get("sort") || ""] ? found.get("sort") || "" : "";
      if (now !== order) {
        order = now;
        const sorted = [...rows].sort(orders[now]);
        sorted.forEach((row, n) => blocks[Math.floor(n / size)].append(row.el));
      }
      for (const block of blocks) block.hidden = ![...block.children].some((el) => !el.hidden);
      one("#shown").textContent = count === rows.length ? `${count} rows` : `${count} of ${rows.length} rows`;
      const query = found.toString();
      if (query !== last) {
        for (const [a, href] of links) a.setAttribute("href", href + (query ? "?" + query : ""));
        if (keep) history.replaceState(null, "", query ? "?" + query : location.pathname);
        last = query;
      }
      try { sessionStorage.setItem("filter:" + location.pathname, query); } catch { /* a browser without it */ }
    };
    const put = (found) => {
      for (const name of fields) one("#" + name).value = found.get(name) || "";
      const kinds = (found.get("kind") || "").split(",");
      for (const chip of all(".chip")) chip.setAttribute("aria-pressed", kinds.includes(chip.dataset.kind));
    };
    const changed = () => show(read(), true);
    for (const name of fields) one("#" + name).addEventListener("input", changed);
    for (const chip of all(".chip")) chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", chip.getAttribute("aria-pressed") !== "true");
      changed();
    });
    one(".filters").addEventListener("submit", (event) => event.preventDefault());
    for (const link of all("[data-filter]")) link.addEventListener("click", (event) => {
      event.preventDefault();
      put(new URLSearchParams(link.dataset.filter));
      changed();
    });
    addEventListener("popstate", () => { put(new URLSearchParams(location.search)); show(read(), false); });
    put(asked);
    show(read(), false);

    listed(".block .r:not([hidden]) > span:first-child > a");
    keys["/"] = () => one("#q").focus();
    keys.f = () => {
      const bad = all(".chip").filter((chip) => !["pass", "mixed", "infra", "invalid", "ungraded", "missing", "suspicious"].includes(chip.dataset.kind));
      const on = bad.some((chip) => chip.getAttribute("aria-pressed") !== "true");
      for (const chip of bad) chip.setAttribute("aria-pressed", on);
      changed();
    };
    keys.Escape = () => {
      if (read().toString()) { put(new URLSearchParams()); changed(); document.activeElement.blur(); } else go(one("#up"));
    };
  }

  // --- a task: decide -----------------------------------------------------------------------
  function cardPage() {
    const now = String(Date.now() / 1000);
    for (const field of all("input[name=since]")) field.value = now;
    const press = (id) => () => { const el = one(id); if (el && !el.disabled) el.click(); };
    const mending = (on) => {
      one("#mend").hidden = !on;
      one("#read").hidden = on;
      if (on) one("#instruction").focus();
    };
    one("#mend-it").addEventListener("click", () => mending(true));
    one("#leave").addEventListener("click", () => mending(false));
    one("#mend").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) one("#mend").requestSubmit();
      if (event.key === "Escape") { event.stopPropagation(); mending(false); document.activeElement.blur(); }
    });
    if (!one("#mend").hidden) mending(true);
    one("#retire-it").addEventListener("click", () => one("#retire").showModal());
    one("#retire").addEventListener("keydown", (event) => {
      const button = /^[1-9]$/.test(event.key) && !typing(event.target) && all("#retire button[name=why]")[event.key - 1];
      if (button) { event.preventDefault(); button.click(); }
    });
    const tier = (number) => {
      if (one("#tier-it").disabled) return;
      if (number) one("#tier-number").value = number;
      one("#tier").showModal();
      one("#tier-why").focus();
    };
    one("#tier-it").addEventListener("click", () => tier());
    keys["1"] = press("#accept");
    keys["2"] = press("#mend-it");
    keys["3"] = press("#retire-it");
    keys.h = keys.H = press("#later");
    keys.z = keys.Z = press("#undo");
    keys.ArrowLeft = () => go(one("#before"));
    keys.ArrowRight = () => go(one("#after"));
    keys.Escape = () => go(one("#up"));
    document.addEventListener("keydown", (event) => {
      const digit = /^Digit([1-4])$/.exec(event.code);
      if (!event.shiftKey || !digit || typing(event.target) || one("dialog[open]") || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      tier(digit[1]);
    }, true);
    // A decision is sent once, however often a key is pressed.
    for (const form of all("form[method=post]")) form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
    addEventListener("pageshow", () => { for (const form of all("form[method=post]")) delete form.dataset.sent; });
    const current = one(".entries [aria-current]"), list = one(".entries");
    if (current) list.scrollTop = current.offsetTop - list.offsetTop - list.clientHeight / 2;
    // The next task is looked at beforehand: rules and colours take their time only once.
    if (body.dataset.next) setTimeout(() => fetch(body.dataset.next).catch(() => {}), 300);
  }

  // --- an attempt: walk, jump, find ----------------------------------------------------------
  function attemptPage() {
    const me = body.dataset.ident, query = location.search;
    const wanted = (row) => {
      const [, agent, tier, effort, kinds, , text] = row, q = (asked.get("q") || "").toLowerCase();
      const some = (asked.get("kind") || "").split(",").filter(Boolean);
      return (!asked.get("agent") || agent === asked.get("agent")) && (!asked.get("tier") || String(tier) === asked.get("tier")) &&
        (!asked.get("effort") || effort === asked.get("effort")) && (!q || text.includes(q)) &&
        (!some.length || some.some((kind) => kinds.split(" ").includes(kind)));
    };
    const every = (window.walk || []).filter((row) => wanted(row) || row[0] === me);
    const address = (row) => `${up}run/${body.dataset.run}/${row[0]}.html${query}`;
    const at = every.findIndex((row) => row[0] === me);
    if (at >= 0) {
      for (const [id, row] of [["#before", every[at - 1]], ["#after", every[at + 1]]]) {
        if (row) one(id).href = address(row); else one(id).removeAttribute("href");
      }
      one("#place").textContent = `${at + 1} / ${every.length}`;
    }
    one("#up").href += query;
    for (const link of all(".others a")) link.href += query;
    const failing = every.slice(at + 1).find((row) => row[5] !== "pass");
    keys.ArrowLeft = () => go(one("#before"));
    keys.ArrowRight = () => go(one("#after"));
    keys.n = () => { if (failing) location.href = address(failing); };
    for (const [key, id] of [["e", "#first-edit"], ["t", "#first-test"], ["x", "#last-failure"]]) keys[key] = () => go(one(id));
    keys.p = () => { location.hash = "patch"; };
    keys["/"] = () => one("#find") && one("#find").focus();
    keys.Escape = () => {
      if (document.activeElement === one("#find") && one("#find").value) { one("#find").value = ""; find(); } else go(one("#up"));
    };
    const find = () => {
      const words = one("#find").value.toLowerCase();
      let count = 0;
      for (const el of all(".step")) {
        const on = !words || el.textContent.toLowerCase().includes(words);
        el.hidden = !on;
        count += on;
        if (words && on) for (const fold of el.querySelectorAll("details")) fold.open = fold.textContent.toLowerCase().includes(words);
      }
      one("#found").textContent = words ? `${count} steps on this page` : "";
    };
    if (one("#find")) one("#find").addEventListener("input", find);
  }
})();
