// What makes the review page quick. Each page works without it: a form is sent, a page comes back. With it, the same
// forms are sent from here and only the middle of the page is replaced; keys press buttons; the slider moves its figures.
// Nothing here makes markup of a text: pages come escaped from the server, and what is streamed is set as text.

const said = document.getElementById("said");
let busy = false;
let shown = location.pathname + location.search;
document.documentElement.classList.add("quick");

async function show(address, options = {}) {
  busy = true;
  document.body.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { ...options, credentials: "same-origin", headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("main");
    if (!fresh) throw new Error(`the server answered ${answer.status}`);
    const held = document.activeElement?.id;
    document.getElementById("main").replaceWith(document.adoptNode(fresh));
    document.title = page.title;
    history[options.method || answer.url === location.href ? "replaceState" : "pushState"](null, "", answer.url);
    shown = location.pathname + location.search;
    settle(held);
  } catch (error) {
    tell(`Nothing was saved or changed: ${error.message}. See that retroweave review still runs, then try again.`);
  } finally {
    busy = false;
    document.body.removeAttribute("aria-busy");
  }
}

function tell(text) {
  const main = document.getElementById("main");
  main.querySelector(":scope > .notice")?.remove();
  const box = document.createElement("div");
  box.className = "notice wrong";
  box.setAttribute("role", "alert");
  box.append(Object.assign(document.createElement("p"), { textContent: text }));
  main.prepend(box);
  window.scrollTo(0, 0);
}

// After the middle was replaced: the top of the new row, heard and in sight; or else the field that was in use.
function settle(held) {
  const head = document.querySelector("[data-head]");
  window.scrollTo(0, 0);
  if (head) {
    head.focus({ preventScroll: true });
    said.textContent = head.dataset.head;
  } else {
    document.getElementById(held)?.focus({ preventScroll: true });
  }
  slide();
  again();
}

// A page that waits for something looks again, for as long as nobody has gone elsewhere.

function again() {
  const link = document.querySelector("[data-again]");
  if (!link) return;
  setTimeout(() => {
    if (!link.isConnected) return;
    if (busy) again();
    else show(link.href);
  }, 1500);
}

// The back button, which is not the link to the middle of this page.
window.addEventListener("popstate", () => {
  if (location.pathname + location.search !== shown) location.reload();
});

// Forms that come back to their own view.

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.stream !== undefined) {
    event.preventDefault();
    if (!busy) stream(form, event.submitter);
    return;
  }
  if (form.dataset.swift === undefined) return;
  event.preventDefault();
  if (busy) return;
  const fields = new URLSearchParams(new FormData(form, event.submitter));
  if (form.method === "post") {
    show(form.action, { method: "POST", body: fields });
    return;
  }
  for (const [name, value] of [...fields]) if (!value) fields.delete(name);
  show(`${form.action.split("?")[0]}?${fields}`);
});

document.addEventListener("change", (event) => {
  if (event.target.dataset.atOnce !== undefined) event.target.form.requestSubmit();
});

// Keys: a button, link or field names its own in data-key.

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const at = event.target;
  const writes = at.matches("input:not([type=range], [type=checkbox], [type=radio]), textarea, select");
  if (writes) {
    if (event.key === "Escape" || (event.key === "Enter" && at.dataset.key)) {
      event.preventDefault();
      at.blur();
    }
    return;
  }
  if (document.querySelector("[data-keys-off]")) return;
  const wanted = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!wanted || event.repeat) return;
  event.preventDefault();
  if (busy) return;
  if (wanted.matches("input, textarea")) wanted.focus();
  else wanted.click();
});

// The threshold: the rows of the table stand in the page, and the slider reads them.

function slide() {
  const dial = document.querySelector("[data-dial]");
  if (!dial) return;
  const range = dial.querySelector("input[type=range]");
  const box = dial.querySelector("input[type=number]");
  const rows = [...document.querySelectorAll("[data-thresholds] [data-threshold]")];
  if (!range || !rows.length) return;
  const move = () => {
    const wanted = Number(box.value || range.value); // the slider's own value is rounded to its notches
    const row = rows.find((one) => Number(one.dataset.threshold) >= wanted) ?? rows.at(-1);
    for (const cell of row.querySelectorAll("[data-name]")) {
      const place = dial.querySelector(`[data-reading="${cell.dataset.name}"]`);
      if (place) place.textContent = cell.textContent;
    }
    for (const mark of document.querySelectorAll("[data-mark]")) {
      const [x, y] = (row.dataset[mark.dataset.mark] ?? "").split(" ");
      for (const name of ["x1", "x2", "cx"]) if (mark.hasAttribute(name) && x) mark.setAttribute(name, x);
      if (y && mark.hasAttribute("cy")) mark.setAttribute("cy", y);
      mark.toggleAttribute("hidden", !x);
    }
    range.setAttribute("aria-valuetext", dial.querySelector("[data-reading=told]")?.textContent ?? (box.value || range.value));
  };
  range.addEventListener("input", () => {
    box.value = range.value;
    move();
  });
  box.addEventListener("input", () => {
    range.value = box.value;
    move();
  });
  dial.querySelector("[data-without]")?.remove();
  move();
}

// Answers as they come: one JSON object a line.

async function stream(form, submitter) {
  const list = document.getElementById(form.dataset.stream);
  list.replaceChildren();
  busy = true;
  submitter?.setAttribute("disabled", "");
  said.textContent = "Running.";
  let count = 0;
  try {
    const body = new URLSearchParams(new FormData(form, submitter));
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/x-ndjson" } });
    if (!answer.ok) throw new Error(await answer.text());
    const lines = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await lines.read();
      rest += value ?? "";
      const whole = rest.split("\n");
      rest = whole.pop();
      for (const line of whole.filter(Boolean)) {
        const one = JSON.parse(line);
        if (one.next) return location.assign(one.next);
        if (one.wrong) throw new Error(one.wrong);
        list.append(streamed(one));
        said.textContent = `${++count} answers.`;
      }
      if (done) break;
    }
  } catch (error) {
    tell(`The run ended early: ${error.message}`);
  } finally {
    busy = false;
    submitter?.removeAttribute("disabled");
  }
}

function streamed(one) {
  const item = document.createElement("li");
  item.append(
    Object.assign(document.createElement("p"), { className: "from", textContent: one.place }),
    Object.assign(document.createElement("div"), { className: "prose", textContent: one.text }),
  );
  return item;
}

slide();
again();
