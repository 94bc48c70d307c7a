/* Numbers move. The server sends the figures (a stream, or an answer to polling) as the same fragments that the page was made from;
   this file puts the words that changed into place and leaves every other element alone, so that no link is lost under a finger
   and no focus jumps. Without it htmx would swap the fragments itself.
   The same news says, by id and without a name, which cases are not open: a page that was made before it learns it here. */
(() => {
  const POLL_EVERY = 2800;
  let timer = 0;
  let parked = null;
  let stream = null;
  let standings = new Map();
  let asking = false;

  // The extension's own stream asks for cookies; this site has none to send. And it is closed here when nobody looks.
  htmx.createEventSource = (url) => (stream = new EventSource(url));

  const figures = (element) => [...element.querySelectorAll(".flap")].map((flap) => flap.textContent).join("");

  /** Say which flaps show a new digit, counted from the end: 999 → 1,000 rolls all four. */
  function roll(before, after) {
    const old = before.split("").reverse();
    [...after.querySelectorAll(".flap")].reverse().forEach((flap, place) => {
      flap.classList.toggle("rolled", flap.textContent !== old[place]);
    });
  }

  function update(here, there) {
    if (here.textContent.trim() === there.textContent.trim()) return;
    const before = figures(here);
    here.replaceChildren(...there.childNodes);
    if (before) roll(before, here);
  }

  function sameShape(here, there) {
    const keys = (root) => [...root.querySelectorAll("[data-live]")].map((part) => part.dataset.live).join();
    return keys(here) === keys(there);
  }

  /** Put the figures of `html` (fragments, each with an id) into this page. What the page does not show is ignored. */
  function show(html) {
    const answer = document.createElement("template");
    answer.innerHTML = html;
    for (const there of answer.content.querySelectorAll("[id][hx-swap-oob]")) {
      const here = document.getElementById(there.id);
      if (there.id === "standings") heed(there.dataset.standings);
      if (!here) continue;
      const parts = here.querySelectorAll("[data-live]");
      if (!parts.length || !sameShape(here, there)) update(here, there);
      else for (const part of parts) update(part, there.querySelector(`[data-live="${part.dataset.live}"]`));
    }
  }

  /** `list` is "7:withdrawn 9:paused". Whoever is withdrawn is named no more: an element with that data-case goes. */
  function heed(list) {
    standings = new Map(list.split(" ").filter(Boolean).map((pair) => pair.split(":")));
    for (const mention of document.querySelectorAll("[data-case]:not([data-standing])")) {
      if (standings.get(mention.dataset.case) === "withdrawn") mention.remove();
    }
    follow();
  }

  /** A page about one case carries the standing it was made with. When that has changed, its own address knows more. */
  async function follow() {
    const about = document.querySelector("[data-case][data-standing]");
    const now = about && (standings.get(about.dataset.case) ?? "open");
    if (asking || !about || now === about.dataset.standing) return;
    if (now !== "withdrawn" && say(about, now)) return;
    asking = true;
    const done = await replaceMain(now);
    asking = false;
    // The page may be kept somewhere for a second longer than the news of it.
    if (!done) setTimeout(follow, 1000);
  }

  /** Where somebody is writing, say it above the form and leave her words alone. */
  function say(about, now) {
    const notice = document.getElementById("standing-said");
    if (!notice) return false;
    about.dataset.standing = now;
    notice.hidden = now === "open";
    notice.textContent = now === "open" ? "" : notice.dataset[now] ?? notice.dataset.closed;
    for (const button of about.querySelectorAll(".act-form [type=submit]")) button.disabled = now !== "open";
    return true;
  }

  /** Put what this page's address answers now in its place; false while that does not yet say so. */
  async function replaceMain(now) {
    try {
      const answer = await fetch(location.pathname + location.search, { cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-case][data-standing]")?.dataset.standing;
      if (now === "withdrawn" ? answer.status !== 410 : fresh !== now) return false;
      const main = document.getElementById("main");
      const live = document.getElementById("live");
      if (live && fresh) document.body.append(live);
      else hangUp();
      page.getElementById("live")?.remove();
      document.title = page.title;
      main.replaceChildren(...page.getElementById("main").childNodes);
      main.focus();
      return true;
    } catch {
      return false;
    }
  }

  function hangUp() {
    stopPolling();
    stream?.close();
    document.getElementById("live")?.remove();
  }

  function poll() {
    const live = document.getElementById("live");
    if (live && !document.hidden) htmx.trigger(live, "poll");
  }

  function startPolling() {
    if (timer) return;
    timer = setInterval(poll, POLL_EVERY);
    poll();
  }

  function stopPolling() {
    clearInterval(timer);
    timer = 0;
  }

  /** No open stream while nobody looks: each one holds a connection, and a browser has six for all its tabs. */
  function park() {
    const live = document.getElementById("live");
    if (!live || parked) return;
    parked = live.cloneNode();
    stopPolling();
    stream?.close();
    live.remove();
  }

  function unpark() {
    if (!parked) return;
    const live = parked;
    parked = null;
    document.body.append(live);
    htmx.process(live);
    if (live.hasAttribute("sse-connect")) poll();
    else startPolling();
  }

  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    event.preventDefault();
    show(event.detail.data);
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.elt.id !== "live") return;
    event.detail.shouldSwap = false;
    if (event.detail.xhr.status === 200) show(event.detail.serverResponse);
  });

  document.addEventListener("htmx:sseOpen", stopPolling);

  document.addEventListener("htmx:sseError", (event) => {
    const live = document.getElementById("live");
    if (event.detail.source.readyState === EventSource.CLOSED && live) {
      // Refused (no room, or no stream here): the extension would knock again and again, so take its door away.
      live.removeAttribute("sse-connect");
      live.removeAttribute("sse-swap");
    }
    startPolling();
  });

  document.addEventListener("visibilitychange", () => (document.hidden ? park() : unpark()));
  window.addEventListener("pagehide", park);
  window.addEventListener("pageshow", unpark);
})();
