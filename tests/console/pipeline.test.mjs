// A lead as it lies on the board.

import assert from "node:assert/strict";
import test from "node:test";
import { answers, page } from "./browser.mjs";

const { card } = await page("pipeline");
const { meet } = await page("group");

const lead = {
  lead_id: "lead-1", name: "Lin Yue", brand: "Aurora", series: "A5", channel: "walk-in", grade: "H", seller_id: "li",
  contact_due_at: null, next_at: null,
};
const clock = (made) => made.children.flatMap((row) => row.children).find((one) => one.attributes?.class === "clock" || one.className?.startsWith("clock"));

test.before(async () => {
  answers({
    "/auth/me": { staff_id: "li", name: "Li Lei", roles: ["sales-consultant"], store_ids: ["north"], permissions: ["users.read"] },
    "/users": { items: [{ staff_id: "wang", name: "Wang Min", roles: ["sales-consultant"], store_ids: ["north"] }], next_cursor: null },
  });
  await meet();
});

test("it says who it is, what he wants, where he came from and who looks after him", () => {
  assert.equal(card(lead).textContent, "Lin YueHAurora A5Walk-in · Me");
  assert.match(card({ ...lead, seller_id: "wang" }).textContent, / · Wang Min$/);
  assert.match(card({ ...lead, seller_id: "gone" }).textContent, / · A colleague$/);
  assert.match(card({ ...lead, seller_id: null }).textContent, /Walk-in$/);
});

test("what is not known shows as nothing", () => {
  const text = card({ ...lead, name: "", grade: null, series: "" }).textContent;
  assert.match(text, /^–Aurora/);
  assert.doesNotMatch(text, /null|undefined|NaN/);
});

test("it counts down to when the contact is due, then up", (context) => {
  context.mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-03-02T04:00:00Z") });
  const due = (at) => { const made = clock(card({ ...lead, contact_due_at: at })); return [made.className.trim(), made.textContent]; };
  assert.deepEqual(due("2026-03-02T04:30:00Z"), ["clock", "30 mins left"]);
  assert.deepEqual(due("2026-03-02T04:05:00Z"), ["clock soon", "5 mins left"]);
  assert.deepEqual(due("2026-03-02T02:00:00Z"), ["clock bad", "2 hrs late"]);
});
