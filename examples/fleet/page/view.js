// What is on the screen beside the map. It knows nothing of connections.

const id = (name) => document.getElementById(name);
const part = (name) => document.querySelector(`[data-testid="fleet-${name}"]`);

function element(tag, attributes, ...children) {
  const e = Object.assign(document.createElement(tag), attributes);
  e.append(...children);
  return e;
}

export function setStatus(state, text) {
  part("status").dataset.state = state;
  part("status").textContent = text;
}

export function showProblem(text) {
  part("problem").textContent = text;
}

export function setLinks(links) {
  id("links").append(...links.map(({ text, url }) => element("a", { href: url, textContent: text })));
}

// Log in

export function showLogin(people, onLogin) {
  id("login").hidden = false;
  id("board").hidden = id("who").hidden = true;
  id("demo").hidden = people.length === 0;
  id("people").replaceChildren(...people.map((p) => {
    const use = element("button", { className: "quiet small", type: "button", textContent: "Log in" });
    use.dataset.testid = `fleet-as-${p.name}`;
    use.addEventListener("click", () => onLogin(p.name, p.password));
    const sees = p.role === "MANAGER" ? "all trucks" : `trucks of ${p.fleets.join(", ")}`;
    return element("li", {}, element("span", {}, `${p.name} (${p.role.toLowerCase()}, ${sees})`,
      element("small", { textContent: `password ${p.password}` })), use);
  }));
  id("enter").onsubmit = (event) => {
    event.preventDefault();
    onLogin(id("username").value, id("password").value);
  };
  id("username").focus();
}

export function showRefused(text) {
  id("refused").textContent = text;
}

// showBoard shows the map, which then has a size.
export function showBoard({ username, role, fleets }, source, onLeave) {
  id("login").hidden = true;
  id("board").hidden = id("who").hidden = false;
  part("user").textContent = `${username} · ${role.toLowerCase()}${fleets?.length ? ` · ${fleets.join(", ")}` : ""}`;
  part("source").textContent = source;
  id("leave").onclick = onLeave;
}

// Filters

export function setFilters(fleets, onChoose) {
  const all = ["All", ...fleets].map((name, i) => {
    const b = element("button", { type: "button", textContent: name, ariaPressed: String(i === 0) });
    b.addEventListener("click", () => {
      all.forEach((other) => { other.ariaPressed = String(other === b); });
      onChoose(i === 0 ? "" : name);
    });
    return b;
  });
  id("filters").replaceChildren(...all);
  id("filters").hidden = fleets.length === 0;
}

// setFind lets people name a truck: the map needs a mouse or a finger. known() are
// those that are offered.
export function setFind(known, onFind) {
  id("which").addEventListener("focus", () => {
    id("known").replaceChildren(...known().map((name) => element("option", { value: name })));
  });
  id("find").addEventListener("submit", (event) => {
    event.preventDefault();
    onFind(id("which").value.trim());
  });
}

export function setShown(shown, { inView, known }) {
  part("shown").textContent = inView > shown
    ? `${shown} of ${inView} trucks here · ${known} in all · zoom in to see the others`
    : `${shown} trucks here · ${known} in all`;
}

// The truck that is looked at

export function showTruck(name, reading, onShock) {
  id("selected").hidden = !name;
  if (!name) return;
  part("truck").textContent = name;
  id("temperature").textContent = reading ? `${reading.temperature.toFixed(1)} °C` : "–";
  id("vibration").textContent = reading ? `${reading.vibration.toFixed(1)} G` : "–";
  id("heard").textContent = reading ? clock(reading.timestamp) : "–";
  id("shock").hidden = !onShock || !reading;
  id("shock").onclick = onShock;
}

// Alerts

const clock = (time) => new Date(time).toLocaleTimeString([], { timeStyle: "medium" });

// showAlerts shows a list, the newest first.
export function showAlerts(alerts, onSelect) {
  id("normal").hidden = alerts.length > 0;
  part("count").textContent = alerts.length > 0 ? `(${alerts.length})` : "";
  id("alerts").replaceChildren(...alerts.map((a) => alertItem(a, onSelect)));
}

function alertItem(a, onSelect) {
  const b = element("button", { type: "button", className: `alert ${a.type}`, title: "Show it on the map" },
    element("b", { textContent: a.type }),
    element("time", { dateTime: a.time, textContent: clock(a.time) }),
    element("strong", { textContent: a.truckId }),
    element("span", { textContent: a.message }));
  const loss = a.riskData?.estimated_loss;
  if (typeof loss === "number") {
    b.append(element("span", { className: "loss", textContent: `estimated loss ${Math.round(loss).toLocaleString()}` }));
  }
  b.addEventListener("click", () => onSelect(a));
  const item = element("li", {}, b);
  item.dataset.id = a.id;
  return item;
}

// Orders

const happened = {
  "order.created": "Ordered",
  "order.shipped": "Shipped",
  "order.delivered": "Delivered",
  "order.cancelled": "Cancelled",
};

// showOrders shows a list of order events, the newest first. Who sees the truck that
// has the goods can go to it.
export function showOrders(events, me, sees, onTruck) {
  id("no-orders").hidden = events.length > 0;
  part("orders-count").textContent = events.length > 0 ? `(${events.length})` : "";
  id("orders").replaceChildren(...events.map((e) => orderItem(e, me, sees, onTruck)));
}

function orderItem({ id: name, title, time, body }, me, sees, onTruck) {
  const what = [body.quantity || "", body.product ?? ""].filter(Boolean).join(" × ");
  const item = element("li", { className: "order" },
    element("b", { textContent: happened[title] ?? title }),
    element("time", { dateTime: time, textContent: clock(time) }),
    element("span", { textContent: `${what || "Order"}${body.user && body.user !== me ? ` for ${body.user}` : ""}` }),
    element("span", { className: "faint", textContent: `Order ${body.orderId}` }));
  item.dataset.id = name;
  item.dataset.event = title;
  if (body.truckId && sees(body.truckId)) {
    const go = element("button", { type: "button", className: "quiet small", textContent: body.truckId, title: "Show it on the map" });
    go.addEventListener("click", () => onTruck(body.truckId));
    item.append(go);
  }
  return item;
}

// setOlder shows or hides a button that asks for older ones.
export function setOlder(button, onOlder) {
  id(button).hidden = !onOlder;
  id(button).onclick = onOlder || null;
}

// Of the two lists one is shown.
for (const name of ["alerts", "orders"]) {
  id(`show-${name}`).addEventListener("click", () => {
    for (const each of ["alerts", "orders"]) {
      id(`show-${each}`).ariaPressed = String(each === name);
      id(`${each}-part`).hidden = each !== name;
    }
  });
}

// speak is for screen readers.
export function speak(text) {
  id("spoken").textContent = text;
}
