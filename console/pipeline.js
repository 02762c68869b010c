// Leads as a board by status, which follows the stream of events; capture, contact, convert, close.

import { get, post } from "./api.js";
import { may, me, myStores, sellersOf, staffName, storeName, storeOptions, trims } from "./group.js";
import { action, ask, attempt, calm, complain, drawer, facts, h, show, tag, toast } from "./ui.js";
import { moment, money, percent, span, t, word, words, yuan } from "./text.js";

const COLUMNS = ["queued", "assigned", "contacted", "converted", "disqualified"];
const HELD = { new: "queued", unplaced: "queued" };
const CHANNELS = ["walk-in", "phone", "website", "mini-program", "auto-show", "ad", "social", "third-party", "referral", "campaign", "partner"];
const REASONS = ["not-reached", "not-now", "no-budget", "bought-elsewhere", "wrong-data", "duplicate", "no-interest", "spam"];
const PAGE = 40;

export async function pipeline(place, [wanted], live) {
  const columns = new Map(COLUMNS.map((status) => [status, column(status)]));
  const store = h("select", { "aria-label": t("store"), onchange: load }, storeOptions(myStores(), t("everywhere")).map(([id, name]) => h("option", { value: id }, name)));
  show(place, h("div", { class: "bar" }, h("h1", {}, t("pipeline")), myStores().length > 1 && store,
    may("leads.capture") && myStores().length > 0 && h("button", { class: "main", onclick: captureForm }, `+ ${t("capture")}`)),
  h("div", { class: "board" }, [...columns.values()].map((one) => one.place)));

  function column(status) {
    const cards = h("div", { class: "cards" });
    const size = h("span", { class: "count" });
    const more = h("button", { class: "quiet", hidden: true, onclick: () => attempt(more, () => fill(columns.get(status), one.cursor)) }, t("more"));
    const one = { status, cards, size, more, cursor: "", place: h("section", { "aria-label": word(status) }, h("h2", {}, word(status), size), cards, more) };
    return one;
  }

  async function fill(one, cursor) {
    const page = await get("/leads", { status: one.status, store_id: store.value, limit: PAGE, cursor });
    if (!cursor) show(one.cards);
    one.cards.append(...page.items.map(card));
    one.cursor = page.next_cursor;
    one.more.hidden = !one.cursor;
    count(one);
  }

  function count(one) {
    show(one.size, `${one.cards.children.length}${one.cursor ? "+" : ""}`);
    one.place.hidden = one.status === "queued" && !one.cards.children.length;
  }

  async function load() {
    await Promise.all([...columns.values()].map((one) => fill(one, ""))).catch(complain);
  }

  const changed = new Set();
  const refresh = calm(async () => {
    const ids = [...changed];
    changed.clear();
    if (ids.length > 8) return load();
    return Promise.all(ids.map(async (id) => {
      const lead = await get(`/leads/${id}`).catch(() => null);
      if (lead && (!store.value || lead.store_id === store.value)) move(lead);
    }));
  });

  function move(lead) {
    const old = place.querySelector(`[data-lead="${lead.lead_id}"]`);
    const from = old?.closest("section");
    const to = columns.get(HELD[lead.status] ?? lead.status);
    const made = card(lead);
    made.classList.add("fresh");
    if (from === to.place) old.replaceWith(made);
    else {
      old?.remove();
      to.cards.prepend(made);
    }
    columns.forEach(count);
  }

  live((event) => {
    if (!event.type.startsWith("leads.") || !event.data.lead_id) return;
    changed.add(event.data.lead_id);
    refresh();
  });
  const clock = setInterval(() => place.querySelectorAll("[data-due]").forEach((one) => tick(one)), 1000);
  await load();
  if (wanted) openLead(wanted);
  return () => clearInterval(clock);
}

function tick(one) {
  const left = (new Date(one.dataset.due) - Date.now()) / 1000;
  one.className = `clock ${left < 0 ? "bad" : left < 600 ? "soon" : ""}`;
  one.textContent = left < 0 ? t("late", { time: span(-left) }) : t("left", { time: span(left) });
}

function dueClock(lead) {
  if (!lead.contact_due_at) return null;
  const clock = h("span", { class: "clock", "data-due": lead.contact_due_at });
  tick(clock);
  return clock;
}

/** A lead as it lies on the board. */
export function card(lead) {
  return h("button", { type: "button", class: "card", "data-lead": lead.lead_id, onclick: () => openLead(lead.lead_id) },
    h("span", { class: "row" }, h("strong", {}, lead.name || "–"), lead.grade && tag(lead.grade, `grade-${lead.grade}`)),
    h("span", { class: "dim" }, `${lead.brand} ${lead.series}`),
    h("span", { class: "row dim" }, h("span", {}, word(lead.channel), lead.seller_id ? ` · ${lead.seller_id === me().staff_id ? t("me") : staffName(lead.seller_id)}` : ""),
      dueClock(lead) ?? (lead.next_at ? h("span", {}, moment(lead.next_at)) : null)));
}

function openLead(id) {
  const panel = drawer("…");
  const again = () => get(`/leads/${id}`).then(paint).catch(complain);

  function paint(lead) {
    panel.title(`${lead.name || "–"} · ${lead.brand} ${lead.series}`);
    show(panel.body, h("p", { class: "row" }, tag(word(lead.status)), lead.grade && tag(`${t("grade")} ${lead.grade}`, `grade-${lead.grade}`), dueClock(lead)), actions(lead), facts([
      [t("phone"), lead.phone], [t("store"), storeName(lead.store_id)], [t("channel"), word(lead.channel)], [t("touches"), lead.touches],
      [t("seller"), staffName(lead.seller_id)], [t("explanation"), why(lead.explanation)], [t("intent"), word(lead.interest.intent)],
      [t("budget"), money(lead.interest.budget)],
      [t("grade"), lead.grade && `${lead.grade} (${lead.grade_rule}: ${lead.grade_reason})`], [t("comments"), lead.comments],
      [t("reached_sla"), lead.within_sla === null ? "" : lead.within_sla ? "✓" : "✗"], [t("next_contact"), moment(lead.next_at)],
      [t("captured"), moment(lead.captured_at)], [t("reason"), word(lead.disqualified_for)],
    ]));
  }

  function actions(lead) {
    const at = `/leads/${id}`;
    const mine = lead.seller_id === me().staff_id || may("leads.assign");
    const open = ["assigned", "contacted", "queued", "new"].includes(lead.status);
    const run = (path, body) => async () => {
      await post(`${at}/${path}`, body, lead.version);
      await again();
    };
    if (lead.status === "converted") return may("leads.read") && h("p", { class: "buttons" }, h("a", { class: "button main", href: `#/opportunities/${lead.opportunity_id}`, onclick: panel.close }, t("open_opportunity")));
    if (open && !mine && lead.seller_id && may("leads.work")) return h("p", { class: "hint" }, t("not_mine", { name: staffName(lead.seller_id) }));
    if (!open || !mine) return null;
    return h("div", { class: "buttons" },
      lead.seller_id && may("leads.work") && h("button", { class: "main", onclick: () => followUp(lead, again) }, t("follow_up")),
      lead.seller_id && may("leads.work") && action(t("convert"), async () => {
        await run("convert")();
        toast(t("converted_to"));
      }, "main"),
      may("leads.assign") && h("button", { onclick: () => assign(lead, again) }, t("assign")),
      may("leads.work") && h("button", { class: "danger", onclick: () => disqualify(lead, again) }, t("disqualify")));
  }

  again();
}

const why = (explanation) => explanation && [explanation.by === "rule" ? word("rule") : staffName(explanation.by), word(explanation.reason),
  explanation.considered?.length ? explanation.considered.map((one) => `${staffName(one.seller_id)} ${percent(one.score / 1000)}`).join(" / ") : ""].filter(Boolean).join(" · ");

function followUp(lead, then) {
  const tomorrow = new Date(Date.now() + 86_400_000 - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  ask(t("follow_up"), [
    { name: "kind", label: t("kind"), options: words("phone", "visit", "wechat", "sms", "email") },
    { name: "text", label: t("said"), type: "area", required: true, maxlength: 2000 },
    { name: "plan", label: t("plan"), maxlength: 200 },
    { name: "next_at", label: t("next_contact"), type: "datetime-local", value: tomorrow },
  ], t("save"), async ({ kind, text, plan, next_at: next }) => {
    await post(`/leads/${lead.lead_id}/follow-ups`, { kind, text, plan, next_at: next ? new Date(next).toISOString() : null }, lead.version);
    await then();
  });
}

function assign(lead, then) {
  const sellers = sellersOf(lead.store_id).filter((one) => one.staff_id !== lead.seller_id);
  ask(t("assign"), [
    { name: "seller_id", label: t("seller"), options: [...(lead.seller_id ? [] : [["", t("by_rule")]]), ...sellers.map((one) => [one.staff_id, one.name])] },
    { name: "reason", label: t("reason"), maxlength: 200 },
  ], t("assign"), async ({ seller_id: seller, reason }) => {
    await post(`/leads/${lead.lead_id}/assign`, { seller_id: seller || null, reason }, lead.version);
    await then();
  });
}

function disqualify(lead, then) {
  ask(t("disqualify"), [
    { name: "reason", label: t("reason"), options: words(...REASONS) }, { name: "note", label: t("note"), type: "area", maxlength: 2000 },
  ], t("disqualify"), async (values) => {
    await post(`/leads/${lead.lead_id}/disqualify`, values, lead.version);
    await then();
  });
}

async function captureForm() {
  const models = may("inventory.read") ? [...(await trims().catch(() => new Map())).values()] : [];
  const lines = [...new Map(models.map((trim) => [`${trim.brand}|${trim.series}`, `${trim.brand} ${trim.series}`]))];
  const interest = lines.length ? [{ name: "line", label: t("series"), options: lines }]
    : [{ name: "brand", label: t("brand"), required: true }, { name: "series", label: t("series") }];
  ask(t("capture"), [
    { name: "store_id", label: t("store"), options: storeOptions(myStores()) }, { name: "name", label: t("name"), required: true, maxlength: 200 },
    { name: "phone", label: t("phone"), type: "tel", required: true, maxlength: 30 }, ...interest, { name: "channel", label: t("channel"), options: words(...CHANNELS) },
    { name: "intent", label: t("intent"), options: words("browse", "compare", "test-drive", "buy", "order") },
    { name: "within_days", label: t("within_days"), type: "number", min: 0, max: 3650 }, { name: "budget", label: t("budget"), inputmode: "decimal" },
    { name: "comments", label: t("comments"), type: "area", maxlength: 2000 },
  ], t("capture"), async ({ line, within_days: within, budget, ...rest }) => {
    const [brand, series] = line ? line.split("|") : [rest.brand, rest.series];
    await post("/leads", { ...rest, brand, series, within_days: within ? Number(within) : null, budget: yuan(budget) ?? null });
    toast(t("captured"));
  });
}

