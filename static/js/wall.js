/* The wall moves. htmx asks for the numbers every two seconds; this file puts what changed into place, rolls the figures, thumps new
   postmarks down, takes away whoever is on the wall no more, and says plainly when nobody answers. Without it htmx swaps the parts itself. */
(() => {
  let answered = new Date();
  let asking = false;

  const figures = (element) => [...element.querySelectorAll(".flap")].map((flap) => flap.textContent).join("");

  /** Which flaps show a new digit, counted from the end: 99 → 100 rolls all three. */
  function roll(before, after) {
    const old = before.split("").reverse();
    [...after.querySelectorAll(".flap")].reverse().forEach((flap, place) => {
      flap.classList.toggle("rolled", flap.textContent !== old[place]);
    });
  }

  function thump(inked, after) {
    [...after.querySelectorAll(".mark:not(.mark-empty)")].slice(inked).forEach((mark) => mark.classList.add("just-now"));
  }

  /** Leave alone what says the same: an element that is replaced would move again. */
  function update(here, there) {
    const inkedOn = (element) => element.querySelectorAll(".mark:not(.mark-empty)").length;
    const said = (element) => `${element.className} ${inkedOn(element)} ${element.textContent.trim()}`;
    if (said(here) === said(there)) return;
    const before = figures(here);
    const inked = inkedOn(here);
    here.className = there.className;
    here.replaceChildren(...there.childNodes);
    if (before) roll(before, here);
    thump(inked, here);
  }

  /** Whoever is withdrawn goes at once; whoever is new, and the room that is left, come with the page itself. */
  async function gather(people) {
    const shown = document.getElementById("wall-people");
    if (asking || shown.dataset.people === people) return;
    for (const person of document.querySelectorAll("[data-person]")) {
      if (!people.split(" ").includes(person.dataset.person)) person.remove();
    }
    asking = true;
    try {
      const answer = await fetch(location.pathname, { cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("wall-people")?.dataset.people;
      if (answer.ok && fresh === people) document.getElementById("wall").replaceChildren(...page.getElementById("wall").childNodes);
    } catch {
      // The next numbers ask again.
    }
    asking = false;
  }

  function show(html) {
    const answer = document.createElement("template");
    answer.innerHTML = html;
    for (const there of answer.content.querySelectorAll("[id][hx-swap-oob]")) {
      const here = document.getElementById(there.id);
      if (there.id === "wall-people") gather(there.dataset.people);
      else if (here) update(here, there);
    }
  }

  function lost() {
    const said = document.getElementById("wall-lost");
    if (said.textContent) return;
    const time = answered.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hour12: false });
    said.textContent = said.dataset.words.replace("{time}", time);
    document.body.classList.add("wall-silent");
  }

  function found() {
    answered = new Date();
    document.getElementById("wall-lost").textContent = "";
    document.body.classList.remove("wall-silent");
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.elt.id !== "wall-live") return;
    event.detail.shouldSwap = false;
    if (event.detail.xhr.status !== 200) return;
    found();
    show(event.detail.serverResponse);
  });

  for (const silence of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) document.addEventListener(silence, lost);
})();
