/* Small helps for the desk's forms: an address proposed from a name, until somebody writes their own. */
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
})();
