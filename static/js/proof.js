/* The small sum that a robot must also do: an ALTCHA proof of work, begun when somebody starts to fill in a form.
   It never stands in a visitor's way. A browser that cannot do it sends the form without, and the server is then stricter.

   The widget lives outside the form and is never shown: inside it, its own hidden checkbox is `required` while it works, and
   the browser would silently refuse to send. It is fetched at the first touch of the form, so that reading costs nothing. */
(() => {
  const PATIENCE_MS = 15_000;
  const WORKERS = 2;

  const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  async function solve({ challenge, altcha, altchaWorker }) {
    if (!window.isSecureContext || !window.crypto?.subtle || !window.Worker) return "";
    await import(new URL(altcha, document.baseURI));
    const { parameters, signature } = JSON.parse(challenge);
    globalThis.$altcha.algorithms.set(parameters.algorithm, () => new Worker(altchaWorker));
    globalThis.$altcha.defaults.set({ auto: "off", humanInteractionSignature: false, minDuration: 0, workers: WORKERS });

    const widget = document.createElement("altcha-widget");
    widget.hidden = true;
    const ready = new Promise((resolve) => widget.addEventListener("load", resolve, { once: true }));
    document.body.append(widget);
    await ready;
    widget.configure({ challenge: { parameters, signature } });
    const answer = await widget.verify();
    widget.remove();
    return answer?.payload ?? "";
  }

  function guard(form) {
    let settled = false;
    let waiting = false;
    let work = null;

    const begin = () => {
      work ??= solve(form.dataset)
        .then((payload) => {
          const field = document.createElement("input");
          Object.assign(field, { type: "hidden", name: "altcha", value: payload });
          if (payload) form.append(field);
        })
        .catch(() => {})
        .finally(() => { settled = true; });
      return work;
    };

    form.addEventListener("focusin", begin, { once: true });
    form.addEventListener("submit", async (event) => {
      const button = event.submitter;
      if (settled || button?.hasAttribute("formaction")) return;
      event.preventDefault();
      if (waiting) return;
      waiting = true;
      const words = button?.textContent;
      if (button) {
        button.textContent = form.dataset.wait;
        button.setAttribute("aria-busy", "true");
      }
      await Promise.race([begin(), wait(PATIENCE_MS)]);
      settled = true;
      waiting = false;
      if (button) {
        button.textContent = words;
        button.removeAttribute("aria-busy");
      }
      form.requestSubmit(button?.isConnected ? button : undefined);
    });
  }

  document.querySelectorAll("form[data-challenge]").forEach(guard);
})();
