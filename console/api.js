// The gateway as the console sees it: tokens, keys, versions, problems, and the stream of events.

const BASE = "/api/v1";
const KEPT = "forecourt.tokens";
const MARKS = 8;
const PATIENCE = 3;

let tokens = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
let refreshing = null;
let marks = [];
let language = "zh";
let ended = () => {};

/** What the gateway answered when it refused; `title`, `detail` and `errors` are in the user's language. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.title ?? `HTTP ${status}`);
    this.status = status;
    this.slug = (body.type ?? "").split("/").pop();
    this.detail = body.detail && body.detail !== body.title ? body.detail : "";
    this.errors = body.errors ?? [];
  }
}

export const speak = (code) => { language = code; };
export const onEnd = (listener) => { ended = listener; };
export const loggedIn = () => tokens !== null;
export const mustChange = () => Boolean(tokens?.must_change_password);

function keep(granted) {
  tokens = granted;
  if (granted) sessionStorage.setItem(KEPT, JSON.stringify(granted));
  else sessionStorage.removeItem(KEPT);
}

async function grant(form) {
  const response = await fetch(`${BASE}/auth/token`, {
    method: "POST", headers: { "Accept-Language": language }, body: new URLSearchParams(form),
  });
  if (!response.ok) throw await problem(response);
  keep(await response.json());
}

export const logIn = (username, password) => grant({ grant_type: "password", username, password });

export function logOut() {
  keep(null);
  marks = [];
}

export async function changePassword(current, chosen) {
  await post("/auth/password", { current, new: chosen });
  keep({ ...tokens, must_change_password: false });
}

async function refreshed() {
  refreshing ??= grant({ grant_type: "refresh_token", refresh_token: tokens?.refresh_token ?? "" }).finally(() => { refreshing = null; });
  try {
    await refreshing;
    return true;
  } catch (error) {
    if (!(error instanceof Problem) || error.status >= 500) throw error;
    logOut();
    ended();
    return false;
  }
}

async function send(path, options, again = true) {
  const headers = { "Accept-Language": language, ...options.headers, Authorization: `Bearer ${tokens?.access_token}` };
  if (marks.length) headers["Forecourt-Seen"] = marks.join(",");
  const response = await fetch(path.startsWith("/api/") ? path : BASE + path, { ...options, headers });
  if (response.status === 401 && again && tokens && (await refreshed())) return send(path, options, false);
  return response;
}

async function problem(response) {
  return new Problem(response.status, await response.json().catch(() => ({})));
}

/** Reads; `query` leaves out what is empty. */
export async function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const response = await send(given.length ? `${path}?${new URLSearchParams(given)}` : path, {});
  if (!response.ok) throw await problem(response);
  return response.json();
}

/** Reads a whole list, at most `most` items. */
export async function all(path, query = {}, most = 1000) {
  const items = [];
  let cursor = "";
  do {
    const page = await get(path, { ...query, limit: 200, cursor });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor && items.length < most);
  return items;
}

/** Seconds until a command that came too early may be sent again; 0 when that would be later than anybody waits. */
function soon(response) {
  const seconds = response.status === 409 ? Number(response.headers.get("Retry-After")) : 0;
  return seconds <= 2 ? seconds : 0;
}

/** Commands, on the version the user saw; a lost answer is asked for again under the same key. */
export async function post(path, body, version) {
  const headers = { "Idempotency-Key": crypto.randomUUID(), "If-Match": version === undefined ? "*" : `"${version}"` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const options = { method: "POST", headers, body: body === undefined ? undefined : JSON.stringify(body) };
  let response = await send(path, options).catch(() => send(path, options));
  for (let tries = 0; tries < PATIENCE && soon(response); tries += 1) {
    await new Promise((rest) => { setTimeout(rest, 1000 * soon(response)); });
    response = await send(path, options);
  }
  if (!response.ok) throw await problem(response);
  const seen = response.headers.get("Forecourt-Seen");
  if (seen) marks = [seen, ...marks.filter((mark) => mark.split("@")[0] !== seen.split("@")[0])].slice(0, MARKS);
  return response.json();
}

/** Opens a document in a tab of its own. */
export async function openFile(path) {
  const tab = window.open("", "_blank");
  try {
    const response = await send(path, {});
    if (!response.ok) throw await problem(response);
    const url = URL.createObjectURL(await response.blob());
    if (tab) tab.location = url;
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  } catch (error) {
    tab?.close();
    throw error;
  }
}

/** Calls `heard` with each event from now on and `state` with whether the stream is open; returns a function that ends it. */
export function listen(heard, state) {
  const stop = new AbortController();
  (async () => {
    let last = "";
    let wait = 1000;
    while (!stop.signal.aborted && tokens) {
      try {
        const headers = { Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) };
        const response = await send("/events", { headers, signal: stop.signal });
        if (!response.ok) {
          if (response.status < 500 && response.status !== 429) last = "";
          throw await problem(response);
        }
        state(true);
        wait = 1000;
        for await (const block of blocks(response.body)) {
          if (block.id) last = block.id;
          if (block.data) heard(JSON.parse(block.data));
        }
      } catch {
        if (stop.signal.aborted) return;
      }
      state(false);
      await new Promise((done) => { setTimeout(done, wait); });
      wait = Math.min(wait * 2, 15_000);
    }
  })();
  return () => stop.abort();
}

async function* blocks(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const parts = text.split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const fields = {};
      for (const line of part.split("\n")) {
        const at = line.indexOf(":");
        if (at > 0) fields[line.slice(0, at)] = line.slice(at + 1).trim();
      }
      yield fields;
    }
  }
}
