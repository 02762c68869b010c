// Amounts, days, times and words, in both languages.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { page } from "./browser.mjs";

const text = await page("text");
const { plain } = await page("reports");
const { carIs } = await page("sales");
const cny = (amount) => ({ amount, currency: "CNY" });

function inBoth(run) {
  const found = {};
  for (let n = 0; n < 2; n += 1) {
    found[text.current()] = run();
    text.switchLanguage();
  }
  return found;
}

test("money is written in whole units, or exactly, and nothing where there is none", () => {
  assert.equal(text.money(cny("189800.50")), "¥189,801");
  assert.equal(text.money(cny("189800.50"), true), "¥189,800.50");
  assert.equal(text.money({ amount: "1200", currency: "JPY" }, true), "¥1,200");
  for (const nothing of [null, undefined]) assert.equal(text.money(nothing), "");
});

test("amounts of events have the decimals of their currency", () => {
  for (const [currency, places] of Object.entries(JSON.parse(process.env.DECIMALS))) {
    const written = plain({ minor: 1234567, currency }).replace(/[^\d.]/g, "");
    assert.equal(Number(written), 1234567 / 10 ** places, currency);
    assert.equal(written.split(".")[1]?.length ?? 0, places, currency);
  }
});

test("values of events are told in words", () => {
  assert.equal(plain(null), "");
  assert.equal(plain("2026-03-02"), "2 Mar 2026");
  assert.equal(plain("2026-03-02T04:00:00Z"), "1 Mar, 23:00");  // in New York, where these tests run
  assert.equal(plain("Lin Yue"), "Lin Yue");
  assert.equal(plain(["a"]), '["a"]');
});

test("what a person types becomes an amount of the API, and never a number that is none", () => {
  for (const [typed, amount] of [["189800", "189800.00"], ["189,800.5", "189800.50"], ["¥ 189，800.05", "189800.05"], [1000, "1000.00"]]) {
    assert.deepEqual(text.yuan(typed), cny(amount));
  }
  for (const nothing of ["", "  ", null, undefined]) assert.equal(text.yuan(nothing), undefined);
  assert.doesNotMatch(JSON.stringify(text.yuan("a lot")), /NaN|null/);
});

test("a share of nothing is a dash", () => {
  assert.equal(text.percent(0.125), "12.5%");
  assert.equal(text.percent(0 / 0), "–");
  assert.equal(text.percent(1 / 0), "–");
});

test("a day of the calendar is the same wherever it is read", () => {
  assert.deepEqual(inBoth(() => text.day("2026-03-02")), { en: "2 Mar 2026", zh: "2026年3月2日" });
  assert.equal(text.day(null), "");
  assert.equal(text.moment(null), "");
});

test("a car's days in stock change at its store's midnight", (context) => {
  context.mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-03-02T23:30:00Z") });
  assert.equal(text.today("Asia/Shanghai"), "2026-03-03");
  assert.equal(text.today("America/New_York", 1), "2026-03-01");
  assert.equal(text.daysSince("2026-03-01", "Asia/Shanghai"), 2);
  assert.equal(text.daysSince("2026-03-01", "America/New_York"), 1);
});

test("a span is told by the whole ones of its largest unit", () => {
  assert.deepEqual([0, 59.9, 60, 3599, 5400, 86_400, 180_000].map(text.span), ["0 secs", "59 secs", "1 min", "59 mins", "1 hr", "1 day", "2 days"]);
});

test("codes are said as people say them, unknown ones as they are", () => {
  assert.deepEqual(inBoth(() => text.word("test-drive")), { en: "Test drive", zh: "试驾" });
  assert.equal(text.word("brand-new-code"), "brand-new-code");
  assert.equal(text.word(null), "");
});

test("an order says how far its car is", () => {
  assert.deepEqual(inBoth(() => carIs({ stage: "placed", vehicle: "none" })), { en: "Not asked for yet", zh: "未锁定" });
  assert.equal(carIs({ stage: "approved", vehicle: "held" }), "Held");
  assert.equal(carIs({ stage: "cancelled", vehicle: "none" }), "");
});

test("every word that a page names is there in two languages", () => {
  const folder = new URL("../../console/", import.meta.url);
  const pages = readdirSync(folder).filter((name) => name.endsWith(".js")).map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n");
  const named = new Set([...pages.matchAll(/\bt\("(\w+)"/g)].map((found) => found[1]));
  assert.ok(named.size > 100);
  for (const name of named) {
    const { en, zh } = inBoth(() => text.t(name));
    assert.ok(en && zh && (en !== zh), `${name}: ${en}, ${zh}`);
  }
});
