/* What makes the acting pages pleasant. Every one of them works without this file. */
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  /* Errors first: whoever cannot see the red edge hears the summary. */
  document.querySelector("[data-focus]")?.focus();

  /* What needs a script is hidden until there is one. */
  all(".needs-script").forEach((part) => { part.hidden = false; });

  /* On a phone the sheet is folded under the form; beside it, and in print, it always lies open. */
  const fold = document.getElementById("fold");
  if (fold) {
    const wide = window.matchMedia("print, (min-width: 62rem)");
    const settle = () => { fold.open = wide.matches; };
    wide.addEventListener("change", settle);
    settle();
    all('a[href="#fold"]').forEach((link) => link.addEventListener("click", () => { fold.open = true; }));
  }

  /* Say it once when a post has become too long, or fits again; not at every letter. */
  const said = document.getElementById("fits-said");
  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    const words = document.getElementById("sheet")?.dataset.said ?? "";
    if (said && said.textContent !== words) said.textContent = words;
    if (detail.elt?.id === "did-it-go") document.getElementById("did-it-go-title")?.focus();
  });

  /* Copying: the clipboard where the browser lends it, else the words stand selected, ready for the keyboard. */
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-copy]");
    if (!button) return;
    const source = document.querySelector(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.value);
      button.dataset.words ??= button.textContent;
      button.setAttribute("aria-live", "polite");
      button.textContent = button.dataset.copied;
      setTimeout(() => { button.textContent = button.dataset.words; }, 4000);
    } catch {
      const box = source.closest("details");
      if (box) box.open = true;
      source.focus();
      source.select();
    }
  });
})();
