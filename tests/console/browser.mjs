// As much of a browser as the console's own functions need.

class Element {
  constructor(tag) {
    this.tag = tag;
    this.attributes = {};
    this.dataset = {};
    this.listeners = {};
    this.children = [];
  }

  setAttribute(name, value) {
    this.attributes[name] = String(value);
    if (name.startsWith("data-")) this.dataset[name.slice(5)] = String(value);
  }

  addEventListener(name, run) { this.listeners[name] = run; }

  append(...children) { this.children.push(...children); }

  set textContent(text) { this.children = [text]; }

  get textContent() { return this.children.map((child) => child.textContent ?? String(child)).join(""); }
}

const store = () => {
  const kept = new Map();
  return { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value), removeItem: (name) => kept.delete(name) };
};

const stood = { document: { createElement: (tag) => new Element(tag) }, localStorage: store(), sessionStorage: store(), navigator: { language: "en-GB" } };
for (const [name, value] of Object.entries(stood)) Object.defineProperty(globalThis, name, { value, configurable: true });

/** A module of the console. */
export const page = (name) => import(new URL(`../../console/${name}.js`, import.meta.url));

/** What the gateway answers from now on, by path. */
export function answers(byPath) {
  globalThis.fetch = async (url) => {
    const found = byPath[String(url).replace("/api/v1", "").split("?")[0]];
    return new Response(JSON.stringify(found ?? {}), { status: found ? 200 : 404 });
  };
}
