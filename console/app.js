// The console: log in, then one page at a time by the hash of the address, following the stream of events.

import { changePassword, listen, logIn, loggedIn, logOut, mustChange, onEnd, speak } from "./api.js";
import { may, me, meet } from "./group.js";
import { pipeline } from "./pipeline.js";
import { reports } from "./reports.js";
import { opportunities, orders } from "./sales.js";
import { stock } from "./stock.js";
import { current, switchLanguage, t, word } from "./text.js";
import { action, complain, form, h, show } from "./ui.js";

const PAGES = { pipeline: [pipeline, "leads.read"], opportunities: [opportunities, "leads.read"], orders: [orders, "orders.read"], stock: [stock, "inventory.read"], reports: [reports, "reports.read"] };
const DEMO = [["sales", "sales-consultant"], ["manager", "sales-manager"], ["stock", "stock-clerk"], ["manager.sh", "sales-manager"], ["stock.sh", "stock-clerk"], ["finance", "finance"], ["service", "service-adviser"], ["owner", "group-owner"], ["admin", "administrator"]];
const app = document.getElementById("app");
const listeners = new Set();
let leave = () => {};
let stopStream = () => {};
let turn = 0;

function languageButton() {
  return h("button", { type: "button", class: "quiet", onclick: () => { switchLanguage(); start(); } }, t("language"));
}

function loginPage() {
  const box = form([{ name: "username", label: t("username"), required: true, autocomplete: "username", autofocus: true, autocapitalize: "none" },
    { name: "password", label: t("password"), type: "password", required: true, autocomplete: "current-password" }], t("login"), async ({ username, password }) => {
    await logIn(username.trim(), password);
    location.hash = "";
    start();
  });
  const fill = (login) => { box.elements.username.value = login; box.elements.password.focus(); };
  show(app, h("main", { class: "gate" }, h("div", { class: "row" }, h("div", {}, h("h1", { class: "brand" }, "Forecourt"), h("p", { class: "dim" }, t("tagline"))), languageButton()), box,
    h("details", {}, h("summary", {}, t("demo_title")), h("p", { class: "dim" }, t("demo_hint")), h("ul", { class: "logins" }, DEMO.map(([login, role]) =>
      h("li", {}, h("button", { type: "button", onclick: () => fill(login) }, h("strong", {}, login), ` ${word(role)}`)))))));
}

function changePage() {
  show(app, h("main", { class: "gate" }, h("h1", {}, t("change_title")), form([
    { name: "current", label: t("current"), type: "password", required: true, autocomplete: "current-password" },
    { name: "chosen", label: t("chosen"), type: "password", required: true, minlength: 8, maxlength: 128, autocomplete: "new-password" },
  ], t("change"), async (values) => {
    await changePassword(values.current, values.chosen);
    start();
  }), action(t("logout"), leaveAll, "quiet")));
}

async function leaveAll() {
  logOut();
  location.hash = "";
  start();
}

/** Registers a listener to events; the function it returns takes it off again. */
function live(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function shell() {
  const pages = Object.keys(PAGES).filter((name) => may(PAGES[name][1]));
  const place = h("main", { id: "page", tabindex: -1 });
  const lamp = h("span", { class: "lamp", title: t("waiting") });
  const links = pages.map((name) => h("a", { href: `#/${name}` }, t(name)));
  show(app, h("header", { class: "top" }, h("a", { class: "brand", href: "#/" }, "Forecourt"), h("nav", {}, links),
    h("div", { class: "who" }, lamp, h("span", { title: me().roles.map(word).join(", ") }, h("strong", {}, me().name), h("small", {}, me().roles.map(word).join(", "))), languageButton(), action(t("logout"), leaveAll, "quiet"))), place);

  async function route() {
    leave();
    leave = () => {};
    listeners.clear();
    document.querySelectorAll("dialog").forEach((one) => one.close());
    const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
    const chosen = pages.includes(name) ? name : pages[0];
    links.forEach((link, n) => (pages[n] === chosen ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current")));
    if (!chosen) {
      show(place, h("p", { class: "empty" }, t("welcome")));
      return;
    }
    document.title = `${t(chosen)} · Forecourt`;
    const page = h("div", {}, h("p", { class: "empty" }, "…"));
    show(place, page);
    const mine = ++turn;
    const left = await PAGES[chosen][0](page, rest, live).catch(complain);
    if (typeof left !== "function") return;
    if (mine === turn) leave = left;
    else left();
  }

  window.onhashchange = route;
  stopStream = may("events.read") ? listen((event) => listeners.forEach((listener) => listener(event)), (open) => {
    lamp.classList.toggle("on", open);
    lamp.title = t(open ? "live" : "waiting");
  }) : () => {};
  return route();
}

async function start() {
  leave();
  leave = () => {};
  listeners.clear();
  stopStream();
  window.onhashchange = null;
  document.querySelectorAll("dialog").forEach((one) => one.close());
  document.documentElement.lang = current();
  speak(current());
  if (!loggedIn()) return loginPage();
  if (mustChange()) return changePage();
  try {
    await meet();
  } catch (error) {
    complain(error);
    if (loggedIn()) show(app, h("main", { class: "gate" }, action("↻", start, "main"), action(t("logout"), leaveAll, "quiet")));
    return undefined;
  }
  return shell();
}

onEnd(start);
start();
