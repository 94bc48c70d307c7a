/* Postmarks: what this browser remembers (localStorage `wfr.sheet`, never sent anywhere) is drawn on the stamps of this page.
   An outline at the pledge, inked when it was sent; the newest action of a case is the one that shows. */
(() => {
  const words = document.currentScript.dataset;
  const SVG = "http://www.w3.org/2000/svg";
  const SEEN = "wfr.seen";

  function entries() {
    try {
      const list = JSON.parse(localStorage.getItem("wfr.sheet") ?? "[]");
      return Array.isArray(list) ? list.filter((entry) => entry && entry.slug && isDay(entry.pledged)) : [];
    } catch {
      return [];
    }
  }

  const isDay = (text) => /^\d{4}-\d{2}-\d{2}/.test(text ?? "");

  function today() {
    const now = new Date();
    return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
  }

  /** Per case: a sent action beats a pledged one, a later day an earlier one. */
  function newest(list) {
    const rank = (entry) => (isDay(entry.taken) ? "1" + entry.taken : "0" + entry.pledged);
    const best = new Map();
    for (const entry of list) {
      const other = best.get(entry.slug);
      if (!other || rank(entry) >= rank(other)) best.set(entry.slug, entry);
    }
    return best;
  }

  /** A mark thumps down the first time this window shows it, and only on its own day. */
  function isNew(key, day) {
    if (day.slice(0, 10) !== today()) return false;
    try {
      const seen = JSON.parse(sessionStorage.getItem(SEEN) ?? "[]");
      if (seen.includes(key)) return false;
      sessionStorage.setItem(SEEN, JSON.stringify([...seen, key]));
      return true;
    } catch {
      return false;
    }
  }

  function draw(parent, name, attributes, text) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text) element.textContent = text;
    parent.append(element);
    return element;
  }

  function postmark(entry) {
    const taken = isDay(entry.taken);
    const day = (taken ? entry.taken : entry.pledged).slice(0, 10);
    const date = new Date(day + "T12:00:00Z");
    const write = (options) => new Intl.DateTimeFormat(words.language === "en" ? "en-GB" : words.language, { ...options, timeZone: "UTC" }).format(date);
    const mark = document.createElementNS(SVG, "svg");
    mark.setAttribute("viewBox", "2 0 120 120");
    mark.setAttribute("class", `postmark postmark-${taken ? "taken" : "pledged"}`);
    mark.setAttribute("aria-hidden", "true");
    draw(mark, "circle", { class: "postmark-disc", cx: 62, cy: 60, r: 54 });
    draw(mark, "circle", { class: "postmark-line postmark-ring", cx: 62, cy: 60, r: 52 });
    if (taken) draw(mark, "circle", { class: "postmark-line", cx: 62, cy: 60, r: 45 });
    draw(mark, "path", { class: "postmark-line postmark-waves", d: [34, 50, 66, 82].map((y) => `M${y > 40 && y < 80 ? 117 : 112} ${y}q8-8 16 0t16 0 16 0 16 0`).join("") });
    draw(mark, "text", { x: 62, y: 43, "font-size": 15, "letter-spacing": 0.8 }, taken ? words.taken : words.pledged);
    draw(mark, "text", { x: 62, y: 69, "font-size": 25 }, write({ day: "numeric", month: "short" }));
    draw(mark, "text", { x: 62, y: 87, "font-size": 15 }, write({ year: "numeric" }));
    if (isNew(`${entry.slug} ${taken}`, day)) mark.classList.add("just-now");
    return mark;
  }

  function spoken(entry) {
    const note = document.createElement("span");
    note.className = "visually-hidden postmark-words";
    note.textContent = `, ${isDay(entry.taken) ? words.taken : words.pledged} ${(entry.taken ?? entry.pledged).slice(0, 10)}`;
    return note;
  }

  function mark() {
    const best = newest(entries());
    for (const stamp of document.querySelectorAll(".stamp[data-slug]")) {
      for (const old of stamp.querySelectorAll(".postmark, .postmark-words")) old.remove();
      const entry = best.get(stamp.dataset.slug);
      if (entry) stamp.append(postmark(entry), spoken(entry));
    }
    fillCard([...best.values()]);
  }

  /** The card at the end of the sheet: names and what each waits for, never a score. */
  function fillCard(list) {
    const card = document.getElementById("your-sheet-card");
    if (!card) return;
    const rows = list.slice(-4).map((entry) => {
      const row = document.createElement("li");
      const name = document.createElement("b");
      name.textContent = entry.name ?? entry.slug;
      name.dir = "auto";
      row.append(name, `${card.dataset[entry.kind] ?? entry.kind}, ${isDay(entry.taken) ? card.dataset.sent : card.dataset.waits}`);
      return row;
    });
    if (list.length > 4) {
      const row = document.createElement("li");
      row.textContent = card.dataset.more;
      rows.push(row);
    }
    card.querySelector(".sheet-card-list").replaceChildren(...rows);
    card.querySelector(".sheet-card-list").hidden = !rows.length;
    card.querySelector(".sheet-card-empty").hidden = Boolean(rows.length);
  }

  mark();
  window.addEventListener("storage", mark);
  window.addEventListener("pageshow", (event) => event.persisted && mark());
  document.addEventListener("htmx:afterSettle", mark);
})();
