/* The case editor. htmx sends what is typed to the preview and saves it; this keeps anybody from losing words:
   one save at a time, buttons that wait for it, and a question before leaving with something unsaved. */
(() => {
  const form = document.getElementById("editor");
  const saver = document.getElementById("saver");
  if (!form || !saver) return;
  let typed = 0;
  let saved = 0;
  let sent = 0;
  let saving = false;
  let stopped = false;
  let waiting = null;
  let leaving = false;
  let renewed = "";

  const state = () => document.getElementById("saved");
  const say = (words) => { state().textContent = words; };

  form.addEventListener("input", ({ target }) => {
    if (target.name === "look") return;
    typed += 1;
    if (!stopped && !state().textContent.includes(saver.dataset.typing)) say(saver.dataset.typing);
  });

  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button?.formTarget === "_blank") return;
    if (saving) {
      event.preventDefault();
      waiting = button?.id === "save" ? null : button;
    } else if (button?.id === "save" && !stopped) {
      event.preventDefault();
      htmx.trigger(saver, "save");
    } else {
      leaving = true;
    }
  });

  saver.addEventListener("htmx:beforeRequest", (event) => {
    const asked = event.detail.requestConfig.triggeringEvent?.type === "save";
    if (stopped || leaving || (typed === saved && !asked)) {
      event.preventDefault();
      return;
    }
    saving = true;
    sent = typed;
  });

  saver.addEventListener("htmx:afterRequest", ({ detail }) => {
    saving = false;
    if (detail.successful) saved = sent;
    else if (detail.xhr?.status === 409) stopped = true;
    else if (detail.xhr?.status === 401) say(saver.dataset.signedOut);
    else if (detail.xhr?.status === 400) renewToken();
    else say(saver.dataset.offline);
    const button = waiting;
    waiting = null;
    if (button && detail.successful) form.requestSubmit(button);
  });

  /** Who has signed in anew, in another tab, has another token there: take it over and save again, once. */
  async function renewToken() {
    say(saver.dataset.signedOut);
    const answer = await fetch(saver.dataset.token).catch(() => null);
    const page = new DOMParser().parseFromString(answer?.ok ? await answer.text() : "", "text/html");
    const there = page.querySelector("[name=csrf_token]")?.value;
    if (!there || there === renewed) return;
    renewed = there;
    for (const here of document.querySelectorAll("[name=csrf_token]")) here.value = there;
    htmx.trigger(saver, "save");
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "s" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    event.preventDefault();
    if (!saving) htmx.trigger(saver, "save");
  });

  window.addEventListener("beforeunload", (event) => {
    if (!leaving && typed !== saved) event.preventDefault();
  });

  // The proof follows the writing: who writes the letter sees the letter.
  const shown = () => form.querySelector('[name="look"]:checked')?.value;
  form.addEventListener("focusin", ({ target }) => {
    const part = target.closest(".edit-part");
    const look = part?.dataset.look ?? "page";
    if (!part || look === shown()) return;
    const choice = form.querySelector(`[name="look"][value="${look}"]`);
    choice.checked = true;
    choice.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // The little stamps to choose from: patterns in the chosen colours, colours with the chosen pattern.
  const stampOf = (choice) => choice.closest(".stamp-choice").querySelector(".stamp");
  const choices = (name) => [...form.querySelectorAll(`[name="${name}"]`)];
  form.addEventListener("change", ({ target }) => {
    if (target.name === "colours") {
      for (const choice of choices("pattern")) {
        const { classList } = stampOf(choice);
        for (const other of choices("colours")) classList.toggle(`pair-${other.value}`, other === target);
      }
    }
    if (target.name === "pattern") {
      const art = stampOf(target).querySelector(".stamp-art");
      for (const choice of choices("colours")) stampOf(choice).querySelector(".stamp-art").replaceWith(art.cloneNode(true));
    }
  });

  // The proof is for looking at: its links would lead away from what is being written.
  document.addEventListener("click", (event) => {
    if (event.target.closest?.(".proof a")) event.preventDefault();
  });

  // On a phone the preview lies folded below the form.
  if (window.matchMedia("(max-width: 63.99rem)").matches) document.querySelector(".editor-preview")?.removeAttribute("open");
})();
