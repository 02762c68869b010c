// The three reports, as of any moment; a click on a figure shows the events behind it.

import { all, get } from "./api.js";
import { everyStore, isMine, may, staffName, storeName, storeOptions } from "./group.js";
import { attempt, complain, drawer, facts, h, show, table } from "./ui.js";
import { count, day, inMinor, moment, money, percent, span, t, today, word } from "./text.js";

const KINDS = { funnel: { draw: funnel, by: ["", "channel", "brand", "series", "store", "grade", "seller", "campaign", "month"], permission: "reports.read" },
  turnover: { draw: turnover, by: null, permission: "reports.margin" }, profit: { draw: profit, by: ["vin", "series", "store", "seller", "channel", "month"], permission: "reports.margin" } };
const PATHS = { funnel: "/reports/funnel", turnover: "/reports/inventory-turnover", profit: "/reports/profit" };
const localDay = (back) => today(everyStore()[0]?.timezone, back);

export async function reports(place, [asked]) {
  const kinds = Object.keys(KINDS).filter((name) => may(KINDS[name].permission));
  const kind = kinds.includes(asked) ? asked : kinds[0];
  const { draw, by } = KINDS[kind];
  const field = (name, label, control) => h("label", {}, h("span", {}, label), Object.assign(control, { name }));
  const stores = everyStore().filter((store) => isMine(store.store_id));
  const result = h("div", {});
  const button = h("button", { class: "main" }, t("show"));
  const query = h("form", { class: "query", onsubmit: (event) => { event.preventDefault(); read(); } },
    field("store_id", t("store"), h("select", {}, storeOptions(stores, t("everywhere")).map(([value, text]) => h("option", { value }, text)))),
    by && field("by", t("by"), h("select", {}, by.map((one) => h("option", { value: one }, one ? word(one) : t("total"))))),
    field("since", t("since"), h("input", { type: "date", value: localDay(29), required: true })),
    field("until", t("until"), h("input", { type: "date", value: localDay(-1), required: true })),
    field("as_of", t("as_of"), h("input", { type: "datetime-local", step: 1 })), button);

  async function read() {
    const values = Object.fromEntries(new FormData(query));
    if (values.as_of) values.as_of = new Date(values.as_of).toISOString();
    await attempt(button, async () => {
      const found = await get(PATHS[kind], values);
      const complete = found.complete_to ? t("complete_to", { time: moment(found.complete_to) }) : t("incomplete");
      show(result, h("p", { class: "dim" }, `${t("as_of")} ${moment(found.as_of)} · ${complete}`), draw(found, values));
    });
  }

  show(place, h("div", { class: "bar" }, h("h1", {}, t("reports")), h("nav", { class: "tabs" }, kinds.map((name) =>
    h("a", { href: `#/reports/${name}`, "aria-current": name === kind ? "page" : null }, t(name))))), query, result);
  await read();
}

function funnel(found, asked) {
  const dwell = new Map(found.dwell.map((one) => [one.stage, one.median_seconds]));
  const title = (key) => ({ seller: staffName, store: storeName }[found.by] ?? word)(key) || "–";
  return found.groups.map((group) => h("section", { class: "panel" }, found.by !== null && h("h2", {}, title(group.key)), h("div", { class: "funnel" },
    h("div", { class: "head" }, ["", "", t("reached"), t("conversion"), t("open"), found.by === null ? t("dwell") : ""].map((text) => h("span", {}, text))),
    group.stages.map((stage) => {
      const bar = h("i", {});
      bar.style.width = `${(stage.reached / Math.max(group.stages[0].reached, 1)) * 100}%`;
      const seconds = found.by === null ? dwell.get(stage.stage) : null;
      return h("button", { type: "button", onclick: () => stageLeads(stage.stage, asked) }, h("span", {}, word(stage.stage)), h("span", { class: "track" }, bar), h("strong", {}, count(stage.reached)),
        h("span", {}, stage.conversion_permille === null ? "" : percent(stage.conversion_permille / 1000)), h("span", {}, count(stage.open)), h("span", {}, typeof seconds === "number" ? span(seconds) : ""));
    }))));
}

async function stageLeads(stage, { since, until, as_of: asOf, store_id: store }) {
  const panel = drawer(`${t("leads_there")}: ${word(stage)}`);
  const found = await get("/reports/funnel/leads", { stage, since, until, as_of: asOf, store_id: store }).catch(complain);
  show(panel.body, table([[t("captured"), (row) => moment(row.occurred_at)], [t("stage"), (row) => word(row.reached)], ["", (row) => h("code", {}, row.lead_id.slice(-8))]], found?.items ?? [], (row) => events({ lead_id: row.lead_id })));
}

function turnover(found, asked) {
  let chosen = null;
  const most = Math.max(...found.ages.map((age) => age.units), 1);
  const list = h("div", {});
  const paint = () => show(list, table([[t("vin"), (car) => h("code", {}, car.vin)], [t("store"), (car) => storeName(car.store_id)], [t("age"), (car) => car.age, "num"], [t("cost"), (car) => money(car.cost), "num"]],
    found.oldest.filter((car) => !chosen || (car.age >= chosen.from && (chosen.to === null || car.age <= chosen.to))), (car) => events({ vin: car.vin, as_of: asked.as_of })));
  paint();
  return [
    found.money.map((one) => h("section", { class: "figures" }, [[t("turnover_rate"), one.turnover ?? "–"], [t("days_of_stock"), one.days_of_stock ? count(Math.round(one.days_of_stock)) : "–"], [t("coefficient"), one.stock_coefficient ?? "–"],
      [t("sold"), count(one.sold)], [t("units"), count(one.units)], [t("stock_value"), money(one.value)]].map(([name, value]) => h("div", {}, h("span", {}, name), h("strong", {}, value))))),
    h("section", { class: "panel" }, h("h2", {}, t("ages")), h("div", { class: "funnel short" }, found.ages.map((age) => {
      const bar = h("i", { class: age.from > 90 ? "old" : "" });
      bar.style.width = `${(age.units / most) * 100}%`;
      return h("button", { type: "button", onclick: () => { chosen = chosen === age ? null : age; paint(); } }, h("span", {}, age.to === null ? t("days_over", age) : t("days", age)),
        h("span", { class: "track" }, bar), h("strong", {}, count(age.units)), h("span", {}, age.cost.map((one) => money(one)).join(", ")));
    }))),
    h("section", { class: "panel" }, h("h2", {}, t("oldest")), list),
  ];
}

function profit(found, asked) {
  const share = (line) => percent(Number(line.front_now.amount) / Number(line.revenue.amount));
  const loss = (amount) => h("span", { class: Number(amount.amount) < 0 ? "bad" : "" }, money(amount));
  const figures = [[t("revenue"), (line) => money(line.revenue), "num"], [t("cost"), (line) => money(line.cost), "num"], [t("carrying"), (line) => money(line.carrying), "num"], [t("at_deal"), (line) => loss(line.front_at_deal), "num"],
    [t("late_cost"), (line) => money(line.late_cost), "num"], [t("now"), (line) => loss(line.front_now), "num"], [t("margin"), share, "num"]];
  const name = found.by === "store" || found.by === "vin" ? (line) => h("code", {}, line.key) : (line) => word(line.key);
  return [
    found.totals.map((total) => h("section", { class: "figures" }, [[t("sold"), count(total.cars)], [t("revenue"), money(total.revenue)], [t("cost"), money(total.cost)], [t("now"), money(total.front_now)], [t("margin"), share(total)]]
      .map(([label, value]) => h("div", {}, h("span", {}, label), h("strong", {}, value))))),
    table([[word(found.by), name], [t("units"), (line) => count(line.cars), "num"], ...figures], found.lines, found.by === "vin" ? (line) => events({ order_id: new URLSearchParams(line.events.split("?")[1]).get("order_id"), as_of: asked.as_of }) : null),
  ];
}

/** The events behind a figure, oldest first. */
export async function events(query) {
  const panel = drawer(t("events"));
  const found = await all("/reports/events", query).catch((error) => { complain(error); return []; });
  show(panel.body, found.map((event) => h("details", { class: "event" }, h("summary", {}, h("strong", {}, event.type.split(".")[1]), h("span", { class: "dim" }, `${event.type.split(".")[0]} · ${moment(event.occurred_at)}`)),
    facts([[t("store"), storeName(event.store_id)], [t("actor"), event.actor === "system" ? "" : staffName(event.actor)], ...Object.entries(event.data).filter(([name]) => name !== "store_id").map(([name, value]) => [name, plain(value)])]))));
}

/** A value of an event in words. */
export function plain(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "object") return value.minor === undefined ? JSON.stringify(value) : inMinor(value);
  return /^\d{4}-\d\d-\d\dT/.test(value) ? moment(value) : /^\d{4}-\d\d-\d\d$/.test(value) ? day(value) : String(value);
}
