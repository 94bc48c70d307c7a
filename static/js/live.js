/* Numbers move. The server sends the figures (a stream, or an answer to polling) as the same fragments that the page was made from;
   this file puts the words that changed into place and leaves every other element alone, so that no link is lost under a finger
   and no focus jumps. Without it htmx would swap the fragments itself. */
(() => {
  const POLL_EVERY = 2800;
  let timer = 0;
  let parked = null;
  let stream = null;

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
      if (!here) continue;
      const parts = here.querySelectorAll("[data-live]");
      if (!parts.length || !sameShape(here, there)) update(here, there);
      else for (const part of parts) update(part, there.querySelector(`[data-live="${part.dataset.live}"]`));
    }
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
