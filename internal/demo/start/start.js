// What this node says of itself and of the others.

const show = (id, text) => { document.getElementById(id).textContent = text; };

const answer = await fetch("demo.json");
if (answer.ok) {
  const { node, nodes, bus, kept, orders, fleet } = await answer.json();
  show("bus", bus);
  show("kept", kept);
  show("orders", orders);
  show("fleet", fleet);
  document.getElementById("nodes").replaceChildren(...nodes.flatMap(({ name, port }, i) => [i > 0 ? ", " : "", entry(name, port, node)]));
}

function entry(name, port, node) {
  if (name === node) return `${name} (this page)`;
  const url = new URL(location.href);
  url.port = port;
  return Object.assign(document.createElement("a"), { href: url.href, textContent: name });
}
