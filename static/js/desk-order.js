// Cases are put in order by dragging. Without this script, and by keyboard, the arrows do the same.
const list = document.querySelector("[data-order]");
const said = document.querySelector("[data-order-said]");
let held = null;

function order() {
  return [...list.children].map((entry) => entry.dataset.slug);
}

function mark() {
  const entries = [...list.children];
  entries.forEach((entry, place) => {
    entry.querySelector(".order-up").disabled = place === 0;
    entry.querySelector(".order-down").disabled = place === entries.length - 1;
  });
}

async function save() {
  const form = list.closest("form");
  const body = new FormData();
  body.set("csrf_token", form.elements.csrf_token.value);
  order().forEach((slug) => body.append("order", slug));
  said.textContent = "";
  try {
    const answer = await fetch(form.action, { method: "POST", body });
    // A session that has ended leads to the page that signs in, which is no success either.
    const saved = answer.ok && new URL(answer.url).pathname !== "/desk/sign-in";
    said.textContent = saved ? said.dataset.saved : said.dataset.failed;
  } catch {
    said.textContent = said.dataset.failed;
  }
}

if (list) {
  list.classList.add("order-ready");
  let before = [];
  list.addEventListener("dragstart", (event) => {
    held = event.target.closest(".order-case");
    if (!held) return;
    before = [...list.children];
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", held.dataset.slug);
    held.classList.add("order-held");
  });
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest(".order-case");
    if (!held) return;
    event.preventDefault();
    if (!over || over === held) return;
    const { top, height } = over.getBoundingClientRect();
    over[event.clientY < top + height / 2 ? "before" : "after"](held);
  });
  list.addEventListener("drop", (event) => {
    if (held) event.preventDefault();
  });
  list.addEventListener("dragend", (event) => {
    if (!held) return;
    held.classList.remove("order-held");
    held = null;
    const changed = before.some((entry, place) => entry !== list.children[place]);
    // Dropped nowhere, or given up with Escape.
    if (event.dataTransfer.dropEffect === "none") list.append(...before);
    else if (changed) save();
    mark();
  });
}
