/* Your sheet: what this browser, and nobody else, remembers of what you wrote. One list in localStorage.
   An entry is { slug, name, kind, ticket, colours, pledged, taken }; `taken` is a day, or null while it waits to be posted. */
(() => {
  const KEY = "wfr.sheet";

  function read() {
    try {
      const entries = JSON.parse(localStorage.getItem(KEY) ?? "[]");
      return Array.isArray(entries) ? entries.filter((entry) => entry && typeof entry.ticket === "string") : [];
    } catch {
      return [];
    }
  }

  function write(entries) {
    try {
      if (entries.length) localStorage.setItem(KEY, JSON.stringify(entries));
      else localStorage.removeItem(KEY);
    } catch {
      // A browser that keeps nothing: the slip of paper has the link.
    }
  }

  /** Keep this entry; one that is known already takes the day of posting and keeps the rest. */
  function keep(entry) {
    const entries = read();
    const known = entries.find((other) => other.ticket === entry.ticket);
    if (known) known.taken = entry.taken ?? known.taken;
    else if (entry.slug) entries.push(entry);
    write(entries);
  }

  const forget = (ticket) => write(read().filter((entry) => entry.ticket !== ticket));
  const forgetAll = () => write([]);

  /** Take over what the page says of pledges: every element that carries `data-pledge`. */
  function follow() {
    for (const { dataset } of document.querySelectorAll("[data-pledge]")) {
      const { ticket, slug, name, kind, colours, pledged, taken, pledge } = dataset;
      if (pledge === "withdrawn") forget(ticket);
      else keep({ slug, name, kind, ticket, colours, pledged, taken: taken || null });
    }
  }

  /** "I've posted it" in a row of a list: asks the server without leaving the page. `done(day)` when it is counted.
      Without JavaScript the same form leads to the page of that ticket. */
  function markInPlace(row, ticket, done = () => {}) {
    const form = row.querySelector("form[data-mark]");
    const button = form.querySelector("button");
    const problem = row.querySelector(".row-problem");
    const finished = row.querySelector(".row-done");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (button.getAttribute("aria-disabled") === "true") return;
      button.setAttribute("aria-disabled", "true");
      problem.textContent = "";
      try {
        const answer = await fetch(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(new FormData(form)) });
        if (!answer.ok) throw new Error(String(answer.status));
        const day = new Date().toISOString().slice(0, 10);
        keep({ ticket, taken: day });
        window.dispatchEvent(new Event("storage"));
        form.hidden = true;
        finished.hidden = false;
        row.classList.add("is-taken");
        finished.focus();
        done(day);
      } catch {
        problem.textContent = problem.dataset.problem;
      } finally {
        button.removeAttribute("aria-disabled");
      }
    });
  }

  window.wfrSheet = { read, forget, forgetAll, markInPlace };
  follow();
  document.addEventListener("htmx:afterSwap", follow);
  document.querySelectorAll(".posted-row[data-ticket]").forEach((row) => markInPlace(row, row.dataset.ticket));
})();
