// The few elements everything on the page is made of. Text is always text, never markup.

import { Problem } from "./api.js";
import { t } from "./text.js";

/** An element: `on…` are listeners, booleans attributes, everything else an attribute; children are nodes, texts or nothing. */
export function h(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "value") made.value = value ?? "";
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const show = (place, ...children) => place.replaceChildren(...children.flat(3).filter(Boolean));
export const tag = (text, kind = "") => h("span", { class: `tag ${kind}` }, text);

/** Says something for a few seconds. */
export function toast(text, kind = "good") {
  const line = h("div", { class: `toast ${kind}` }, text);
  const place = document.getElementById("toasts");
  place.append(line);
  place.hidePopover();
  place.showPopover();
  setTimeout(() => line.remove(), kind === "bad" ? 9000 : 3500);
}

/** What went wrong, in the user's language. */
export function complain(error) {
  if (!(error instanceof Problem)) {
    toast(t("offline"), "bad");
    console.error(error);
    return;
  }
  const fields = error.errors.map((one) => `${one.field}: ${one.reason}`);
  toast([error.message, error.detail, ...fields].filter(Boolean).join(" · "), "bad");
}

/** Runs an action of a button, which waits meanwhile. True when it went well. */
export async function attempt(button, action) {
  if (button) button.disabled = true;
  try {
    await action();
    return true;
  } catch (error) {
    complain(error);
    return false;
  } finally {
    if (button) button.disabled = false;
  }
}

export function action(text, run, kind = "") {
  const button = h("button", { type: "button", class: kind, onclick: () => attempt(button, run) }, text);
  return button;
}

/** A panel from the side; Esc closes it. Returns the place for its content. */
export function drawer(title, closed = () => {}) {
  document.querySelector("dialog.drawer")?.close();
  const body = h("div", { class: "drawer-body" });
  const close = h("button", { type: "button", class: "quiet", "aria-label": t("close"), onclick: () => panel.close() }, "✕");
  const heading = h("h2", {}, title);
  const panel = h("dialog", { class: "drawer" }, h("header", {}, heading, close), body);
  panel.addEventListener("close", () => { panel.remove(); closed(); });
  panel.addEventListener("click", (event) => { if (event.target === panel) panel.close(); });
  document.body.append(panel);
  panel.showModal();
  return { body, close: () => panel.close(), title: (text) => show(heading, text) };
}

/** A form; `fields` are {name, label, type, value, options, required, hint}. `done` gets the values as text. */
export function form(fields, submit, done) {
  const inputs = fields.map((field) => {
    const { name, label, type = "text", value, options, hint, ...rest } = field;
    const control = options
      ? h("select", { name, ...rest }, options.map(([code, text]) => h("option", { value: code, selected: code === value }, text)))
      : h(type === "area" ? "textarea" : "input", { name, type: type === "area" ? null : type, value, autocomplete: "off", ...rest });
    return h("label", {}, h("span", {}, label), control, hint && h("small", {}, hint));
  });
  const button = h("button", { class: "main" }, submit);
  return h("form", {
    onsubmit: (event) => {
      event.preventDefault();
      attempt(button, () => done(Object.fromEntries(new FormData(event.target))));
    },
  }, inputs, h("div", { class: "buttons" }, button));
}

/** A form in the middle of the page, closed when it went well. */
export function ask(title, fields, submit, done) {
  const panel = h("dialog", { class: "ask" }, h("h2", {}, title), form(fields, submit, async (values) => {
    await done(values);
    panel.close();
  }), h("button", { type: "button", class: "quiet corner", "aria-label": t("close"), onclick: () => panel.close() }, "✕"));
  panel.addEventListener("close", () => panel.remove());
  document.body.append(panel);
  panel.showModal();
}

/** A table; `columns` are [title, row → content, class]; `open` is called with the row clicked or entered. */
export function table(columns, rows, open) {
  const line = (row) => {
    const go = open && (() => open(row));
    const cells = columns.map(([title, content, kind]) => h("td", { class: kind, "data-title": title }, content(row)));
    return h("tr", go ? { tabindex: 0, onclick: go, onkeydown: (event) => { if (event.key === "Enter") go(); } } : {}, cells);
  };
  if (!rows.length) return h("p", { class: "empty" }, t("nothing"));
  return h("div", { class: "scroll" }, h("table", { class: open ? "open" : "" },
    h("thead", {}, h("tr", {}, columns.map(([title, , kind]) => h("th", { class: kind }, title)))),
    h("tbody", {}, rows.map(line))));
}

/** Names and values under each other. */
export const facts = (pairs) => h("dl", {}, pairs.filter((pair) => pair && pair[1] !== "" && pair[1] !== null && pair[1] !== undefined)
  .map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));

/** Stages in a row, those reached marked. */
export const stepper = (stages, at, name) => h("ol", { class: "steps" }, stages.map((stage, n) =>
  h("li", { class: n < at ? "done" : n === at ? "now" : "", "aria-current": n === at ? "step" : null }, name(stage))));

/** Calls `run` once when the calls have paused for a moment. */
export function calm(run, ms = 300) {
  let timer = 0;
  return (...args) => { clearTimeout(timer); timer = setTimeout(() => run(...args), ms); };
}
