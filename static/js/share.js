/* Telling others. Plain links do without this file; it hands words to the device, remembers a Mastodon server, and notes in this browser, and nowhere
   else, where to see what came of one's own links. localStorage: `wfr.mastodon` is a host, `wfr.shared` a list of { slug, name, private, day }. */
(() => {
  const SERVER = "wfr.mastodon";
  const SHARED = "wfr.shared";
  const MOST = 100;

  function recall(key) {
    try {
      return localStorage.getItem(key) ?? "";
    } catch {
      return "";
    }
  }

  function remember(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // A browser that keeps nothing asks again the next time.
    }
  }

  function sharedBefore() {
    try {
      const list = JSON.parse(recall(SHARED) || "[]");
      return Array.isArray(list) ? list : [];
    } catch {
      return [];
    }
  }

  /** Note that somebody's own links were used; the newest comes last. */
  function note(way) {
    way.classList.add("is-used");
    const { slug, name, private: address } = way.closest(".share").dataset;
    if (!address) return;
    const others = sharedBefore().filter((entry) => entry?.private !== address);
    const entry = { slug, name, private: address, day: new Date().toISOString().slice(0, 10) };
    remember(SHARED, JSON.stringify([...others, entry].slice(-MOST)));
  }

  /* Mastodon has no one address: the visitor names the server, and nobody is told which. */
  const hostIn = (text) => text.trim().replace(/^https?:\/\//i, "").replace(/^@?[^@\s]*@/, "").replace(/\/.*$/, "").toLowerCase();
  const isHost = (host) => /^([\p{L}\p{N}-]+\.)+[\p{L}\p{N}-]{2,}$/u.test(host);
  const knownServer = () => (isHost(recall(SERVER)) ? recall(SERVER) : "");

  function leaveFor(address) {
    window.open(address, "_blank", "noopener,noreferrer");
  }

  /** Put into the panel what this browser knows: its share sheet, and the Mastodon server. */
  function settle() {
    const server = knownServer();
    for (const form of document.querySelectorAll("form[data-mastodon]")) {
      const field = form.querySelector('input[type="text"]');
      field.value ||= server;
    }
    const panel = document.getElementById("share-links");
    if (!panel) return;
    panel.querySelector(".share-device").hidden = !navigator.share;
    const other = panel.querySelector(".share-other");
    other.hidden = !server;
    if (!server) return;
    const way = panel.querySelector('.share-way[data-channel="mastodon"]');
    Object.assign(way, { href: `https://${server}${way.dataset.path}`, target: "_blank", rel: "noopener noreferrer" });
    way.querySelector("[data-in-new-tab]").hidden = false;
    const button = other.querySelector("button");
    button.textContent = button.textContent.replace("{server}", server);
  }

  function askForServer() {
    const form = document.getElementById("share-mastodon");
    form.classList.add("is-open");
    form.querySelector('input[type="text"]').focus();
  }

  async function handOver(way) {
    const { title, text, url } = way.dataset;
    try {
      await navigator.share({ title, text, url });
      note(way);
    } catch {
      // Whoever closes the sheet has thought better of it.
    }
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-other]")) askForServer();
    const way = event.target.closest(".share [data-channel]");
    if (!way) return;
    if (way.dataset.channel === "device") handOver(way);
    else if (way.getAttribute("href") === "#share-mastodon") {
      event.preventDefault();
      askForServer();
    } else note(way);
  });

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-mastodon]");
    if (!form) return;
    event.preventDefault();
    const field = form.querySelector('input[type="text"]');
    const problem = form.querySelector(".error-message");
    const host = hostIn(field.value);
    problem.textContent = isHost(host) ? "" : problem.dataset.problem;
    field.setAttribute("aria-invalid", String(!isHost(host)));
    if (!isHost(host)) return field.focus();
    remember(SERVER, host);
    leaveFor(`https://${host}${form.dataset.mastodon}`);
    const way = document.querySelector('.share-way[data-channel="mastodon"]');
    if (way && form.closest(".share")) note(way);
    settle();
  });

  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target.id !== "share-links") return;
    settle();
    const said = document.getElementById("share-said");
    const words = document.getElementById("share-links").dataset.said;
    if (said.textContent !== words) said.textContent = words;
  });

  settle();
})();
