// Opportunities and orders: a list each, and a drawer that offers what can be done next.

import { all, get, openFile, post } from "./api.js";
import { may, me, myStores, staffName, storeName, storeOptions, trimName, trims } from "./group.js";
import { action, ask, calm, complain, drawer, facts, h, show, stepper, table, tag, toast } from "./ui.js";
import { day, moment, money, t, word, words, yuan } from "./text.js";

const STAGES = ["first-contact", "needs", "presentation", "test-drive", "quote", "negotiation", "won"];
const NEXT = {
  "first-contact": ["needs", "presentation", "test-drive", "quote"], needs: ["presentation", "test-drive", "quote"], presentation: ["test-drive", "quote"],
  "test-drive": ["quote", "negotiation"], quote: ["test-drive", "negotiation"], negotiation: ["quote"],
};
const ORDER_STAGES = ["placed", "submitted", "approved", "signed", "delivered"];

/** How far the car of an order is; nothing of one that was cancelled. */
export function carIs(order) {
  if (order.vehicle !== "none") return word(order.vehicle);
  return order.stage === "cancelled" ? "" : t("not_asked");
}

/** A list with a filter, which is read again when `about(event)` says that an event concerns it. */
async function listPage(place, live, { title, path, filter, options, columns, about, open }) {
  const chosen = h("select", { "aria-label": t("stage"), onchange: () => load() }, [["", t("all")], ...options].map(([value, text]) => h("option", { value }, text)));
  const store = h("select", { "aria-label": t("store"), onchange: () => load() }, storeOptions(myStores(), t("everywhere")).map(([value, text]) => h("option", { value }, text)));
  const list = h("div", {});
  const more = h("button", { class: "quiet", hidden: true, onclick: () => load(true) }, t("more"));
  let rows = [];
  let cursor = "";
  async function load(further = false) {
    const page = await get(path, { [filter]: chosen.value, store_id: store.value, limit: 50, cursor: further ? cursor : "" }).catch(complain);
    if (!page) return;
    rows = further ? [...rows, ...page.items] : page.items;
    cursor = page.next_cursor;
    more.hidden = !cursor;
    show(list, table(columns, rows, open));
  }
  show(place, h("div", { class: "bar" }, h("h1", {}, title), chosen, myStores().length > 1 && store), list, more);
  const again = calm(() => load(), 600);
  live((event) => about(event) && again());
  await load();
}

export async function opportunities(place, [wanted], live) {
  await listPage(place, live, {
    title: t("opportunities"), path: "/opportunities", filter: "stage", options: words(...STAGES, "lost"),
    columns: [
      [t("customer"), (row) => h("strong", {}, row.name)], [t("series"), (row) => `${row.brand} ${row.series}`], [t("stage"), (row) => tag(word(row.stage), row.stage)],
      [t("since"), (row) => moment(row.since)], [t("seller"), (row) => staffName(row.seller_id)], [t("store"), (row) => storeName(row.store_id)],
    ],
    about: (event) => event.type.startsWith("leads.Opportunity"), open: (row) => openOpportunity(row.opportunity_id, live),
  });
  if (wanted) openOpportunity(wanted, live);
}

function openOpportunity(id, live) {
  const again = () => get(`/opportunities/${id}`).then(paint).catch((error) => (error.status === 404 ? setTimeout(again, 600) : complain(error)));
  const panel = drawer("…", live((event) => event.data.opportunity_id === id && event.type.startsWith("leads.") && again()));

  async function paint(row) {
    panel.title(`${row.name} · ${row.brand} ${row.series}`);
    const mine = may("opportunities.work") && (row.seller_id === me().staff_id || may("leads.assign"));
    const open = row.stage in NEXT;
    const orders = may("orders.read") ? (await get("/orders", { customer_id: row.person_id, limit: 20 }).catch(() => ({ items: [] }))).items : [];
    show(panel.body, stepper(STAGES, STAGES.indexOf(row.stage), word),
      mine && open && h("div", { class: "buttons" }, may("orders.write") && h("button", { class: "main", onclick: () => orderForm(row, panel) }, t("order_car")),
        h("span", { class: "hint" }, t("move_to")), NEXT[row.stage].map((stage) => action(word(stage), async () => {
          await post(`/opportunities/${id}/advance`, { to: stage }, row.version);
          await again();
        }))),
      facts([[t("phone"), row.phone], [t("channel"), word(row.channel)], [t("seller"), staffName(row.seller_id)], [t("store"), storeName(row.store_id)], [t("next_contact"), moment(row.next_at)]]),
      orders.length > 0 && h("div", {}, h("h3", {}, t("orders")), table([[t("number"), (order) => order.number], [t("stage"), (order) => tag(word(order.stage), order.stage)], [t("price"), (order) => money(order.price), "num"]],
        orders, (order) => { panel.close(); location.hash = `#/orders/${order.order_id}`; })));
  }

  again();
}

async function orderForm(row, panel) {
  const [cars, models] = await Promise.all([all("/vehicles", { status: "in-stock", category: "new" }), trims()]).catch((error) => { complain(error); return [[], new Map()]; });
  const fits = (car) => (car.series === row.series && car.brand === row.brand ? 0 : 2) + (car.store_id === row.store_id ? 0 : 1);
  const found = cars.filter((car) => car.certificate !== "pledged" && car.entity_id === row.entity_id).sort((a, b) => fits(a) - fits(b));
  if (!found.length) return toast(t("no_car"), "bad");
  const listed = (vin) => models.get(found.find((car) => car.vin === vin).trim_id).guide_price.amount;
  const options = found.map((car) => [car.vin, `${trimName(models.get(car.trim_id))} · ${money(models.get(car.trim_id).guide_price)} · ${storeName(car.store_id)} · ${car.vin.slice(-6)}`]);
  const setPrice = (event) => ["price", "down_payment"].forEach((name) => { event.target.form.elements[name].value = listed(event.target.value); });
  return ask(t("order_car"), [
    { name: "vin", label: t("car"), options, onchange: setPrice }, { name: "price", label: t("price"), value: listed(found[0].vin), required: true, inputmode: "decimal" },
    { name: "down_payment", label: t("down_payment"), value: listed(found[0].vin), required: true, inputmode: "decimal" },
  ], t("order"), async ({ vin, price, down_payment: down }) => {
    const { trim_id: trim } = found.find((car) => car.vin === vin);
    const order = await post("/orders", {
      store_id: row.store_id, customer_id: row.person_id, opportunity_id: row.opportunity_id, trim_id: trim, vin, price: yuan(price), down_payment: yuan(down),
    });
    toast(t("placed"));
    panel.close();
    location.hash = `#/orders/${order.id}`;
  });
}

export async function orders(place, [wanted], live) {
  const models = await trims().catch(() => new Map());
  await listPage(place, live, {
    title: t("orders"), path: "/orders", filter: "stage", options: words(...ORDER_STAGES, "cancelled"),
    columns: [
      [t("number"), (row) => h("strong", {}, row.number)], [t("car"), (row) => trimName(models.get(row.trim_id))], [t("stage"), (row) => tag(word(row.stage), row.stage)],
      [t("vehicle"), carIs], [t("price"), (row) => money(row.price), "num"], [t("paid"), (row) => money(row.paid), "num"], [t("seller"), (row) => staffName(row.seller_id)], [t("since"), (row) => moment(row.placed_at)],
    ],
    about: (event) => event.type.startsWith("orders.Order") || event.type.startsWith("finance.Payment") || event.type.startsWith("orders.Contract"),
    open: (row) => openOrder(row.order_id, models, live),
  });
  if (wanted) openOrder(wanted, models, live);
}

function openOrder(id, models, live) {
  const again = () => get(`/orders/${id}`).then(paint).catch(complain);
  const later = calm(again, 250);
  const panel = drawer("…", live((event) => event.data.order_id === id && later()));

  async function paint(order) {
    const customer = may("customers.read") ? await get(`/customers/${order.customer_id}`).catch(() => null) : null;
    panel.title(`${order.number} · ${trimName(models.get(order.trim_id))}`);
    show(panel.body, stepper(ORDER_STAGES, ORDER_STAGES.indexOf(order.stage), word), order.stage === "cancelled" && h("p", {}, tag(word(order.stage), "bad"), ` ${order.cancel_reason}`),
      steps(order, customer), facts([
        [t("customer"), customer?.name ?? order.signer], [t("vin"), order.vin], [t("vehicle"), [carIs(order), order.car_at && storeName(order.car_at)].filter(Boolean).join(" · ")], [t("list_price"), money(order.list_price)], [t("price"), money(order.price)],
        [t("down_payment"), money(order.down_payment)], [t("paid"), money(order.paid)], [t("to_pay"), money({ ...order.price, amount: order.price.amount - order.paid.amount })], [t("invoice_number"), order.invoice_number],
        [t("seller"), staffName(order.seller_id)], [t("store"), storeName(order.store_id)], [t("signer"), order.signer], [t("since"), moment(order.placed_at)], [t("deliver"), day(order.deliver_on)],
      ]),
      h("div", { class: "buttons" }, (customer || may("orders.all")) && ["approved", "signed", "delivered"].includes(order.stage) && action(t("contract"), () => openFile(`/orders/${id}/contract.pdf`)),
        ["placed", "submitted", "approved", "signed"].includes(order.stage) && may("orders.write", "orders.approve") && h("button", { class: "danger", onclick: () => cancel(order) }, t("cancel"))));
  }

  const run = (path, body) => async (order) => {
    await post(`/orders/${id}/${path}`, body, order.version);
    await again();
  };
  const step = (order, text, permission, role, go) => (may(permission) ? action(text, () => go(order), "main") : hint(role));
  const hint = (role) => h("p", { class: "hint" }, t("role_next", { role: word(role) }));

  function steps(order, customer) {
    switch (order.stage) {
      case "placed": return next(step(order, t("submit"), "orders.write", "sales-consultant", run("submit")));
      case "submitted": return next(step(order, t("approve"), "orders.approve", "sales-manager", run("approve")));
      case "approved":
        if (order.vehicle === "held") return next(may("orders.sign") ? h("button", { class: "main", onclick: () => sign(order, customer) }, t("sign")) : hint("sales-consultant"));
        if (order.vehicle === "asked") return next(h("p", { class: "hint" }, t("asked")));
        return next(may("orders.write") && action(t("ask_again"), async () => { await post(`/orders/${id}/reserve`); await again(); }, "main"));
      case "signed": return handOver(order);
      default: return null;
    }
  }

  const next = (...children) => h("div", { class: "next" }, ...children);

  function handOver(order) {
    const due = order.price.amount - order.paid.amount;
    const here = order.car_at === order.store_id;
    const obstacles = [due > 0 && t("unpaid"), !order.invoice_number && t("invoice_first")].filter(Boolean);
    return next(
      h("div", { class: "buttons" },
        due > 0 && (may("finance.receipt") ? h("button", { class: "main", onclick: () => receipt(order, due) }, t("receipt")) : hint("finance")),
        !order.invoice_number && (may("finance.invoice") ? action(t("invoice"), async () => { await post("/invoices", { order_id: id }); toast(t("done")); later(); }, "main") : due <= 0 && hint("finance"))),
      h("fieldset", { class: "checks" }, h("legend", {}, t("checklist")), order.checklist.map((item) => h("label", {}, h("input", {
        type: "checkbox", checked: order.passed.includes(item), disabled: !may("orders.deliver"),
        onchange: (event) => post(`/orders/${id}/checklist`, { item, passed: event.target.checked }).then(later, (error) => { complain(error); again(); }),
      }), word(item)))),
      !here && h("p", { class: "hint" }, t("car_elsewhere", { store: storeName(order.car_at) }), " ", h("a", { href: `#/stock/${order.vin}` }, t("transfer"))),
      obstacles.length > 0 && h("p", { class: "hint" }, obstacles.join(" · ")),
      may("orders.deliver") ? (() => {
        const button = action(t("deliver"), () => run("deliver")(order), "main");
        button.disabled = !here || obstacles.length > 0 || order.open_items.length > 0;
        return button;
      })() : hint("sales-consultant"));
  }

  function sign(order, customer) {
    ask(t("sign"), [
      { name: "signer", label: t("signer"), value: customer?.name ?? "", required: true }, { name: "earnest", label: t("earnest"), value: Math.floor(order.price.amount / 10_000) * 1000, required: true, inputmode: "decimal" },
    ], t("sign"), ({ signer, earnest }) => run("sign", { signer, earnest: yuan(earnest) })(order));
  }

  function receipt(order, due) {
    const first = Number(order.paid.amount) === 0 && Number(order.earnest_agreed.amount) > 0;
    ask(t("receipt"), [
      { name: "kind", label: t("receipt_kind"), options: words(...(first ? ["earnest", "balance"] : ["balance", "earnest"]), "down-payment", "prepayment") },
      { name: "method", label: t("method"), options: words("transfer", "wechat", "alipay", "card", "cash", "loan") },
      { name: "amount", label: t("amount"), value: first ? order.earnest_agreed.amount : due.toFixed(2), required: true, inputmode: "decimal" },
    ], t("receipt"), async ({ kind, method, amount }) => {
      await post("/receipts", { order_id: id, kind, method, amount: yuan(amount) });
      later();
    });
  }

  function cancel(order) {
    ask(t("cancel"), [{ name: "reason", label: t("reason"), required: true, maxlength: 200 }], t("cancel"), ({ reason }) => run("cancel", { reason })(order));
  }

  again();
}

