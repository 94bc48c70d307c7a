/* Keeps a frame on another site true: the number and the standing move, and a case that is gone leaves. It works without this file. */
(() => {
  const EVERY = 30_000;
  const SELDOM = 10 * 60 * 1000;
  const OFTEN_FOR = 60 * 60 * 1000;
  const { now, gone } = document.currentScript.dataset;
  const main = document.getElementById("main");
  let seen = true;

  let timer = setInterval(ask, EVERY);
  const later = setTimeout(() => { clearInterval(timer); timer = setInterval(ask, SELDOM); }, OFTEN_FOR);
  document.addEventListener("visibilitychange", ask);
  new IntersectionObserver(([entry]) => { seen = entry.isIntersecting; }).observe(main);

  async function ask() {
    if (document.hidden || !seen) return;
    try {
      const answer = await fetch(now, { credentials: "omit" });
      if (answer.status === 410 || answer.status === 404) leave();
      else if (answer.ok) show(await answer.text());
    } catch {
      // The next time may do.
    }
  }

  function show(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("now");
    const old = document.getElementById("now");
    if (!fresh || fresh.isEqualNode(old)) return;
    // Whoever stands on the button stays on it while only the number moves.
    const [theirs, ours] = [fresh, old].map((part) => part.querySelector(".embed-count"));
    ours.replaceWith(theirs.cloneNode(true));
    if (!fresh.isEqualNode(old)) old.replaceWith(fresh);
  }

  function leave() {
    stop();
    const words = document.createElement("h1");
    words.className = "embed-title embed-gone";
    words.textContent = gone;
    main.replaceChildren(words);
    document.title = gone;
  }

  function stop() {
    clearInterval(timer);
    clearTimeout(later);
    document.removeEventListener("visibilitychange", ask);
  }

  /* WordPress shows frames it does not know in a sandbox that opens no tab. It gives such a frame a secret, and follows for it
     links to the frame's own host. */
  const secret = new URLSearchParams(location.hash.replace(/^#\??/, "")).get("secret");
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (secret && link) window.parent.postMessage({ message: "link", value: link.href, secret }, "*");
  });
})();
