/* Small helps for the desk's forms: an address proposed from a name, until somebody writes their own; a change, said once. */
(() => {
  const slugOf = (name) => name.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/&/g, " and ")
    .replace(/[’']/g, "").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 80);

  for (const slug of document.querySelectorAll("[data-slug-of]")) {
    const name = document.getElementById(slug.dataset.slugOf);
    let proposed = slugOf(name.value);
    name.addEventListener("input", () => {
      if (slug.value !== "" && slug.value !== proposed) return;
      slug.value = proposed = slugOf(name.value);
    });
  }

  /* What a preview says of itself, such as that the words are too long, is said when it changes; not at every letter. */
  const said = document.querySelector("[data-said-by]");
  if (said) document.addEventListener("htmx:afterSettle", () => {
    const words = document.getElementById(said.dataset.saidBy)?.dataset.said ?? "";
    if (said.textContent !== words) said.textContent = words;
  });
})();
