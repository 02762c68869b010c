// Who is logged in, and the names of stores, colleagues and models that the pages show instead of ids.

import { all, get } from "./api.js";
import { t } from "./text.js";

let person = null;
let stores = new Map();
let staff = new Map();
let catalogue = null;

/** Reads who I am, the stores, and colleagues where I may. */
export async function meet() {
  person = await get("/auth/me");
  stores = new Map((may("stores.read") ? await all("/stores") : []).map((store) => [store.store_id, store]));
  staff = new Map((may("users.read") ? await all("/users") : []).map((one) => [one.staff_id, one]));
  catalogue = null;
}

export const me = () => person;
export const may = (...permissions) => permissions.some((one) => person?.permissions.includes(one));
export const everyStore = () => [...stores.values()];
export const isMine = (storeId) => person.store_ids.includes("*") || person.store_ids.includes(storeId);
export const myStores = () => everyStore().filter((store) => isMine(store.store_id));
export const storeName = (id) => stores.get(id)?.name ?? "";
export const zoneOf = (id) => stores.get(id)?.timezone;
export const storeOptions = (list, first) => [...(first ? [["", first]] : []), ...list.map((store) => [store.store_id, store.name])];
export const sellersOf = (storeId) => [...staff.values()].filter((one) => one.roles.includes("sales-consultant") && one.store_ids.includes(storeId));

export function staffName(id) {
  if (!id) return "";
  return id === person.staff_id ? `${person.name}` : staff.get(id)?.name ?? t("colleague");
}

/** The catalogue by trim id, read once. */
export async function trims() {
  catalogue ??= all("/trims").then((list) => new Map(list.map((trim) => [trim.trim_id, trim])));
  return catalogue.catch((error) => { catalogue = null; throw error; });
}

export const trimName = (trim) => (trim ? `${trim.brand} ${trim.series} ${trim.name}` : "");
