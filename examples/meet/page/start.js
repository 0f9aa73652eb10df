// The start page: a name, a room, and into it.

const form = document.getElementById("enter");
const problem = document.getElementById("problem");

form.elements.name.value = localStorage.getItem("name") ?? "";
form.elements.room.value = new URLSearchParams(location.search).get("room") ?? "";

// As the server has it: see input.go.
const rooms = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]{0,63}$/u;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const name = form.elements.name.value.trim();
  const room = form.elements.room.value.trim().replace(/\s+/g, "-");
  if (!rooms.test(room)) {
    problem.textContent = "A room has letters, digits, dots, dashes and underscores, and begins with a letter or a digit.";
    form.elements.room.focus();
    return;
  }
  localStorage.setItem("name", name);
  const query = name === "" ? "" : `?${new URLSearchParams({ name })}`;
  location.assign(`room/${encodeURIComponent(room)}${query}`);
});

const { links } = await (await fetch("config.json")).json();
const elsewhere = document.getElementById("elsewhere");
elsewhere.hidden = links.length === 0;
for (const { text, url } of links) {
  elsewhere.append(" ", Object.assign(document.createElement("a"), { href: url, textContent: text }));
}
