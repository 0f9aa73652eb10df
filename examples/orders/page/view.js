// What is on the screen. It knows nothing of connections.

const keep = 200; // lines of a list
const silent = 15_000; // ms after which a backend that gives no sign of life is gone

const part = (name) => document.querySelector(`[data-testid="orders-${name}"]`);
const form = (name) => document.getElementById(name);

// element makes an element; children that are strings become text.
function element(tag, attributes, ...children) {
  const e = Object.assign(document.createElement(tag), attributes);
  e.append(...children);
  return e;
}

function prepend(list, item) {
  list.prepend(item);
  while (list.childElementCount > keep) {
    list.lastElementChild.remove();
  }
}

// badge shows a backend in its colour.
function badge(name) {
  const e = element("span", { className: "badge", textContent: name });
  e.style.setProperty("--hue", hue(name));
  return e;
}

// hue sets backends apart whose names differ in their last letter alone.
function hue(name) {
  let h = 0;
  for (const c of name) {
    h = (h * 31 + c.codePointAt(0) * 137) % 360;
  }
  return h;
}

// Status

export function showMissingClient() {
  document.getElementById("missing").hidden = false;
  document.getElementById("main").hidden = true;
  setStatus("bad", "No client");
}

export function showNodes({ node, nodes }) {
  part("node").textContent = node;
  document.title = `Belfry orders, ${node}`;
  const others = nodes.filter((n) => n.name !== node);
  document.getElementById("nodes").replaceChildren(...others.map((n) => element("a", {
    href: `${location.protocol}//${location.hostname}:${n.port}/orders/`,
    target: "_blank",
    rel: "noopener",
    textContent: `Open ${n.name}`,
  })));
}

export function setStatus(state, text) {
  part("status").dataset.state = state;
  part("status").textContent = text;
}

// What is sent while the connection is away waits, so the forms stay usable once it
// was there.
export function setConnected(yes, version = "") {
  if (yes) {
    for (const name of ["order", "test", "many", "greet"]) {
      part(name).disabled = false;
    }
  }
  part("break").disabled = !yes;
  part("version").textContent = yes ? version : "–";
}

export function showProblem(text) {
  part("problem").textContent = text;
}

// Orders

const orders = new Map(); // id → its line

export function addOrder(id, text) {
  const state = element("span", { className: "state", textContent: "waits for the connection" });
  const item = element("li", {}, element("span", { className: "what", textContent: text }), state);
  orders.set(id, { item, state });
  prepend(part("answers"), item);
}

// accepted says that the order is in the queue.
export function accepted(id) {
  const order = orders.get(id);
  if (order && !order.item.dataset.done) {
    order.state.textContent = "queued";
  }
}

export function answer(id, { backend, total, error }) {
  const { item, state } = orders.get(id);
  orders.delete(id);
  item.dataset.done = error ? "refused" : "accepted";
  if (error) {
    state.textContent = error.message.replace(/^rejected: /, "");
    return;
  }
  state.textContent = `${total} in all, from`;
  item.append(badge(backend));
}

// Lines

export const showSent = (count) => {
  part("sent").textContent = `${count} accepted by the cluster`;
};
export const addGreeting = (text) => prepend(part("greetings"), element("li", { textContent: text }));
export const addToast = (text) => prepend(part("toasts"), element("li", { textContent: text }));

// Backends

const backends = new Map(); // name → { item, seen, handled, timer }

function backend(name) {
  let b = backends.get(name);
  if (!b) {
    const count = element("span", { className: "number", textContent: "0" });
    const state = element("span", { className: "state" });
    b = { item: element("li", {}, badge(name), state, count), count, state, seen: 0, handled: 0 };
    b.item.dataset.backend = name;
    backends.set(name, b);
    part("backends").append(...[...backends.keys()].sort().map((n) => backends.get(n).item));
  }
  return b;
}

function draw(b) {
  b.count.textContent = Math.max(b.seen, b.handled);
  b.item.title = `${b.handled} handled since it runs, ${b.seen} seen by this page`;
}

export function showAlive({ backend: name, handled }) {
  const b = backend(name);
  b.handled = handled;
  clearTimeout(b.timer);
  b.state.textContent = "";
  b.item.classList.remove("gone");
  b.timer = setTimeout(() => {
    b.state.textContent = "gives no sign of life";
    b.item.classList.add("gone");
  }, silent);
  draw(b);
}

export function addHandled({ backend: name, event, text, tries }) {
  const b = backend(name);
  b.seen++;
  draw(b);
  document.getElementById("empty").hidden = true;
  const again = tries > 1 ? [element("span", { className: "state", textContent: `try ${tries}` })] : [];
  prepend(part("handled"), element("li", {},
    badge(name), element("span", { className: "event", textContent: event }),
    element("span", { className: "what", textContent: text }), ...again));
}

// The room by several protocols.

const counts = { stomp: 0, socketio: 0, sse: 0 };

export function countBy(protocol) {
  part(`by-${protocol}`).textContent = ++counts[protocol];
  part("count").textContent = counts.stomp;
}

// Forms

function onSubmit(name, f) {
  form(name).addEventListener("submit", (event) => {
    event.preventDefault();
    showProblem("");
    f(form(name).elements);
  });
}

export const onOrder = (f) => onSubmit("order", ({ goods, quantity }) => f(goods.value, quantity.valueAsNumber));
export const onGreet = (f) => onSubmit("greet", ({ name }) => f(name.value.trim()));
export const onBreak = (f) => part("break").addEventListener("click", f);

export function onTest(f) {
  onSubmit("test", ({ text }) => f(text.value, 1));
  part("many").addEventListener("click", () => f(form("test").elements.text.value || "Ding", 20));
}

export function onNotify(f) {
  onSubmit("notify", async ({ message }) => {
    if (await f(message.value)) {
      message.value = "";
    }
  });
}
