// The group's stock: every car with where it is and who holds it, and the transfers between stores.

import { all, get, post } from "./api.js";
import { everyStore, isMine, may, myStores, staffName, storeName, storeOptions, trimName, trims, zoneOf } from "./group.js";
import { action, ask, calm, complain, drawer, facts, h, show, table, tag, toast } from "./ui.js";
import { day, daysSince, moment, money, t, word, words, yuan } from "./text.js";

const ageOf = (car) => daysSince(car.acquired_on, zoneOf(car.store_id));
const where = (car) => (car.bound_for ? `${storeName(car.store_id)} → ${storeName(car.bound_for)}` : storeName(car.store_id));

export async function stock(place, [wanted], live) {
  const models = await trims().catch(() => new Map());
  const select = (label, options) => h("select", { "aria-label": label, onchange: () => load() }, options.map(([value, text]) => h("option", { value }, text)));
  const any = (name) => [["", `${t(name)}: ${t("all")}`]];
  const filters = {
    store_id: select(t("store"), storeOptions(everyStore(), t("everywhere"))),
    brand: select(t("brand"), [...any("brand"), ...[...new Set([...models.values()].map((trim) => trim.brand))].map((brand) => [brand, brand])]),
    status: select(t("status"), [...any("status"), ...words("in-stock", "reserved", "in-transit", "sold")]),
    category: select(t("category"), [...any("category"), ...words("new", "used", "demo")]),
    certificate: select(t("certificate"), [...any("certificate"), ...words("with-us", "pledged", "redeemed")]),
  };
  const moving = h("div", {});
  const list = h("div", {});
  const more = h("button", { class: "quiet", hidden: true, onclick: () => load(true) }, t("more"));
  let rows = [];
  let cursor = "";

  async function load(further = false) {
    const query = Object.fromEntries(Object.entries(filters).map(([name, one]) => [name, one.value]));
    const page = await get("/vehicles", { ...query, limit: 60, cursor: further ? cursor : "" }).catch(complain);
    if (!page) return;
    rows = further ? [...rows, ...page.items] : page.items;
    cursor = page.next_cursor;
    more.hidden = !cursor;
    show(list, table([
      [t("model"), (car) => h("strong", {}, trimName(models.get(car.trim_id)) || `${car.brand} ${car.series}`)], [t("vin"), (car) => h("code", {}, car.vin)], [t("store"), where],
      [t("status"), (car) => [tag(word(car.status), car.status), car.category !== "new" && tag(word(car.category))]], [t("age"), (car) => h("span", { class: ageOf(car) > 90 ? "bad" : "" }, ageOf(car)), "num"],
      [t("certificate"), (car) => h("span", { class: car.certificate === "pledged" ? "bad" : "" }, word(car.certificate))], ...(may("inventory.cost") ? [[t("cost"), (car) => money(car.book_cost), "num"]] : []),
    ], rows, (car) => openCar(car.vin, models, live)));
  }

  async function transfers() {
    const pending = (await all("/transfers").catch(() => [])).filter((one) => !["received", "cancelled"].includes(one.status));
    show(moving, pending.length > 0 && h("section", { class: "panel" }, h("h2", {}, t("transfers")), table([
      [t("number"), (one) => one.number], [t("vin"), (one) => h("code", {}, one.vin)], [t("from"), (one) => storeName(one.from_store)], [t("to"), (one) => storeName(one.to_store)], [t("status"), (one) => tag(word(one.status))], ["", transferStep],
    ], pending)));
  }

  function transferStep(one) {
    const at = `/transfers/${one.transfer_id}`;
    const run = (path, body) => async () => {
      await post(`${at}/${path}`, body, one.version);
      toast(t("done"));
      await transfers();
    };
    switch (one.status) {
      case "requested": return may("inventory.approve") && isMine(one.from_store) && action(t("approve"), run("approve"), "main");
      case "approved": return may("inventory.transfer") && isMine(one.from_store) && h("button", { class: "main", onclick: () => ask(t("dispatch"), [{ name: "carrier", label: t("carrier"), required: true }], t("dispatch"), (values) => run("dispatch", values)()) }, t("dispatch"));
      case "dispatched": return may("inventory.transfer") && isMine(one.to_store) && h("button", { class: "main", onclick: () => ask(t("receive"), [
        { name: "vin", label: t("vin"), value: one.vin, required: true }, { name: "transport", label: t("transport"), value: "0", required: true, inputmode: "decimal" },
      ], t("receive"), ({ vin, transport }) => run("receive", { vin, transport: yuan(transport) })()) }, t("receive"));
      default: return null;
    }
  }

  show(place, h("div", { class: "bar" }, h("h1", {}, t("stock")), Object.values(filters)), moving, list, more);
  const again = calm(() => { load(); transfers(); }, 600);
  live((event) => event.type.startsWith("inventory.") && again());
  await Promise.all([load(), transfers()]);
  if (wanted) openCar(wanted, models, live);
}

function openCar(vin, models, live) {
  const again = () => get(`/vehicles/${vin}`).then(paint).catch(complain);
  const panel = drawer(vin, live((event) => event.data.vin === vin && event.type.startsWith("inventory.") && again()));

  function paint(car) {
    const trim = models.get(car.trim_id);
    const run = (path, body) => async () => {
      await post(`/vehicles/${vin}/${path}`, body, car.version);
      toast(t("done"));
      await again();
    };
    const targets = myStores().filter((store) => store.store_id !== car.store_id && store.entity_id === car.entity_id);
    panel.title(trimName(trim) || vin);
    show(panel.body, h("p", { class: "row" }, tag(word(car.status), car.status), tag(word(car.category))), h("div", { class: "buttons" },
      car.status === "in-stock" && may("inventory.reserve") && action(t("reserve"), run("reserve"), "main"),
      car.status === "reserved" && !car.reserved_for && may("inventory.reserve") && action(t("release"), run("release")),
      ["in-stock", "reserved"].includes(car.status) && targets.length > 0 && may("inventory.transfer", "inventory.reserve") && h("button", { onclick: () => ask(t("transfer"), [
        { name: "to_store", label: t("to_store"), options: storeOptions(targets) },
      ], t("transfer"), async (values) => {
        await post("/transfers", { vin, ...values, ...(car.reserved_for ? { order_id: car.reserved_for } : {}) });
        toast(t("done"));
        panel.close();
      }) }, t("transfer"))), facts([
      [t("vin"), vin], [t("store"), where(car)], [t("list_price"), trim && money(trim.guide_price)], [t("cost"), money(car.book_cost, true)], [t("acquired_on"), day(car.acquired_on)], [t("age"), ageOf(car)],
      [t("certificate"), word(car.certificate)], [t("reserved"), car.reserved_for ? may("orders.read") ? h("a", { href: `#/orders/${car.reserved_for}`, onclick: panel.close }, t("order")) : t("order") : staffName(car.reserved_by)], [t("held_until"), moment(car.reserved_until)],
    ]));
  }

  again();
}
