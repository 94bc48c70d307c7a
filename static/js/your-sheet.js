/* The page "Your sheet": a row for each thing this browser remembers. */
(() => {
  const { read, forget, forgetAll, markInPlace } = window.wfrSheet;
  const find = (id) => document.getElementById(id);
  const words = find("sheet-words");
  const list = find("sheet-list");
  const said = find("sheet-said");
  const pairs = new Set(["teal", "plum", "navy", "forest", "violet", "rust"]);

  const phrase = (selector) => words.content.querySelector(selector)?.textContent ?? "";

  function longDay(day) {
    const moment = new Date(`${day}T12:00:00Z`);
    if (Number.isNaN(moment.getTime())) return "";
    const { lang } = document.documentElement;
    return new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }).format(moment);
  }

  function describe(entry) {
    const kind = phrase(`[data-kind="${CSS.escape(entry.kind ?? "letter")}"]`);
    return phrase(`[data-words="${entry.taken ? "taken" : "pledged"}"]`)
      .replace("{kind}", kind)
      .replace("{day}", longDay(entry.taken ?? entry.pledged));
  }

  function drawRow(entry) {
    const row = find("sheet-row").content.firstElementChild.cloneNode(true);
    const part = (selector) => row.querySelector(selector);
    part(".stamp").classList.add(`pair-${pairs.has(entry.colours) ? entry.colours : "teal"}`);
    part(".stamp").dataset.slug = entry.slug;
    part(".stamp-name").textContent = entry.name;
    part(".row-case").textContent = entry.name;
    part(".row-case").href = words.dataset.caseUrl.replace("-slug-", encodeURIComponent(entry.slug));
    part(".row-what").textContent = describe(entry);
    part("input[name=ticket]").value = entry.ticket;
    part(entry.kind === "email" ? ".row-posted" : ".row-sent").remove();
    row.querySelectorAll(".row-for").forEach((name) => { name.textContent = `: ${entry.name}`; });
    row.classList.toggle("is-taken", Boolean(entry.taken));
    part("form").hidden = Boolean(entry.taken);
    part(".row-done").hidden = !entry.taken;
    markInPlace(row, entry.ticket, (day) => {
      part(".row-what").textContent = describe({ ...entry, taken: day });
      said.textContent = said.dataset.posted;
    });
    part(".row-forget").addEventListener("click", () => {
      const next = row.nextElementSibling ?? row.previousElementSibling;
      forget(entry.ticket);
      row.remove();
      said.textContent = said.dataset.forgotten;
      showEmpty();
      next?.querySelector(".row-forget").focus();
    });
    return row;
  }

  function showEmpty() {
    const empty = list.children.length === 0;
    find("sheet-empty").hidden = !empty;
    list.hidden = empty;
    find("sheet-forget").hidden = empty && find("sheet-shared").hidden && !knowsServer();
  }

  /** What came of the links that this browser shared: each is asked for by its own private address. */
  async function drawShared() {
    const parts = await Promise.all(shared().map(async ({ private: address }) => {
      try {
        const answer = await fetch(address, { headers: { "HX-Request": "true" } });
        return answer.ok ? answer.text() : "";
      } catch {
        return "";
      }
    }));
    const told = parts.filter(Boolean);
    find("shared-list").innerHTML = told.join("");
    find("sheet-shared").hidden = told.length === 0;
    showEmpty();
  }

  /** Whether this browser remembers a Mastodon server, which share.js keeps. */
  function knowsServer() {
    try {
      return localStorage.getItem("wfr.mastodon") !== null;
    } catch {
      return false;
    }
  }

  function forgetShared() {
    try {
      localStorage.removeItem("wfr.shared");
      localStorage.removeItem("wfr.mastodon");
    } catch {
      // A browser that keeps nothing has nothing to forget.
    }
    find("sheet-shared").hidden = true;
  }

  /** The newest twenty; an address that is not of this site is nobody's business to ask. */
  function shared() {
    try {
      const kept = JSON.parse(localStorage.getItem("wfr.shared") ?? "[]");
      return kept.filter((entry) => /^\/shared\/[\w.~-]+$/.test(entry?.private ?? "")).slice(-20).reverse();
    } catch {
      return [];
    }
  }

  function draw() {
    list.replaceChildren(...read().reverse().map(drawRow));
    showEmpty();
  }

  find("forget-all").addEventListener("click", ({ currentTarget: button }) => {
    if (!button.dataset.asked) {
      button.dataset.asked = "yes";
      button.textContent = button.dataset.sure;
      return;
    }
    forgetAll();
    forgetShared();
    draw();
    said.textContent = said.dataset.forgotten;
    find("sheet-empty").querySelector("a").focus();
  });

  // What another tab changed; what this page says of itself is drawn where it happens.
  window.addEventListener("storage", (event) => event.isTrusted && draw());
  draw();
  drawShared();
})();
