// What is on the screen. It knows nothing of connections.

const keepMessages = 500;
const typingShown = 3000; // ms

const id = (name) => document.getElementById(name);
const part = (name) => document.querySelector(`[data-testid="chat-${name}"]`);

const forms = { join: id("join"), say: id("say") };
const nameField = part("name");
const roomField = part("room");
const textField = part("input");
const messages = part("messages");
const log = id("log");

id("steps").open = matchMedia("(min-width: 46rem)").matches;
nameField.value = sessionStorage.getItem("name") ?? "";

// element makes an element; children that are strings become text.
function element(tag, attributes, ...children) {
  const e = Object.assign(document.createElement(tag), attributes);
  e.append(...children);
  return e;
}

// hue gives everyone a colour of their own.
function hue(person) {
  let h = 0;
  for (const c of person.id) {
    h = (h * 31 + c.codePointAt(0)) % 360;
  }
  return h;
}

// Status

export function showMissingClient() {
  id("missing").hidden = false;
  id("room").hidden = true;
  setStatus("bad", "No client");
}

export function showNodes({ node, nodes, kept }) {
  part("kept").textContent = kept;
  part("node").textContent = node;
  document.title = `Belfry demo, ${node}`;
  const others = nodes.filter((n) => n.name !== node);
  id("nodes").replaceChildren(...others.map((n) => element("a", {
    href: `${location.protocol}//${location.hostname}:${n.port}/`,
    target: "_blank",
    rel: "noopener",
    textContent: `Open ${n.name}`,
  })));
}

export function setStatus(state, text) {
  part("status").dataset.state = state;
  part("status").textContent = text;
}

export function setTransport(text) {
  part("transport").textContent = text;
}

export function setConnected(yes) {
  for (const name of ["join", "send", "break"]) {
    part(name).disabled = !yes;
  }
  if (!yes) {
    setTransport("–");
  }
}

export function showRecovered(missed) {
  const caughtUp = missed === 0 ? "nothing was missed" : `${missed} ${missed === 1 ? "message" : "messages"} caught up`;
  part("recovered").textContent = `Recovered: ${caughtUp}`;
}

export function clearRecovered() {
  part("recovered").textContent = "";
}

export function showProblem(text) {
  id("problem").textContent = text;
}

// Messages

const shownMessages = new Map(); // id → item
const sent = new Set(); // ids of this page
const marks = new Map(); // id → what is known of a message of this page

// addMessage adds one at the end. One that is there already is not added.
export function addMessage(message, { mine, late }) {
  if (shownMessages.has(message.id)) {
    return;
  }
  const item = messageItem(message, mine);
  item.classList.toggle("missed", late);
  item.classList.toggle("more", messages.lastElementChild?.dataset.from === message.from.id);
  append(item);
  stopTyping(message.from.id);
}

function messageItem({ id: key, from, text, time, stored }, mine) {
  const at = new Date(time);
  const item = element("li", { className: "message" },
    element("p", { className: "head" },
      element("span", { className: "from", textContent: mine ? "You" : from.name }),
      element("time", { dateTime: at.toISOString(), textContent: at.toLocaleTimeString([], { timeStyle: "short" }) })),
    element("p", { className: "text", textContent: text }),
    element("p", { className: "mark" }));
  item.style.setProperty("--hue", hue(from));
  item.dataset.from = from.id;
  item.dataset.id = key;
  item.classList.toggle("mine", mine);
  shownMessages.set(key, item);
  if (stored) {
    marks.set(key, "stored");
  }
  drawMark(key);
  return item;
}

// addPast adds messages, the oldest first, above those that are there. What is on the
// screen stays where it is.
export function addPast(past, isMine, more) {
  const items = past.filter((m) => !shownMessages.has(m.id)).map((m) => messageItem(m, isMine(m)));
  const below = log.scrollHeight - log.scrollTop;
  messages.prepend(...items);
  items.forEach((item) => {
    item.classList.toggle("more", item.previousElementSibling?.dataset.from === item.dataset.from);
  });
  id("empty").hidden = messages.childElementCount > 0;
  part("past").hidden = !more;
  if (atEnd) {
    stayAtEnd();
  } else {
    log.scrollTop = log.scrollHeight - below;
  }
}

export function onPast(f) {
  part("past").addEventListener("click", f);
  log.addEventListener("scroll", () => {
    if (log.scrollTop < 60 && !part("past").hidden) {
      f();
    }
  });
}

export function noteSent(key) {
  sent.add(key);
}

export function wasSent(key) {
  return sent.has(key);
}

// mark says what has become of messages: delivered, then stored.
export function mark(keys, state) {
  for (const key of keys) {
    if (marks.get(key) !== "stored") {
      marks.set(key, state);
    }
    drawMark(key);
  }
}

const markTexts = { delivered: "✓ delivered", stored: "✓✓ stored" };

function drawMark(key) {
  const item = shownMessages.get(key);
  if (item?.classList.contains("mine")) {
    item.dataset.mark = marks.get(key) ?? "sent";
    item.querySelector(".mark").textContent = markTexts[item.dataset.mark] ?? "…";
  }
}

// note adds a line that nobody said.
export function note(text) {
  append(element("li", { className: "note", textContent: text }));
}

function append(item) {
  id("empty").hidden = true;
  messages.append(item);
  while (atEnd && messages.childElementCount > keepMessages) {
    drop(messages.firstElementChild);
  }
  stayAtEnd();
}

function drop(item) {
  shownMessages.delete(item.dataset.id);
  marks.delete(item.dataset.id);
  item.remove();
}

// Whoever has scrolled back stays where they are; all others see the end, also
// when the space for the messages changes.
let atEnd = true;
log.addEventListener("scroll", () => {
  atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
});
new ResizeObserver(stayAtEnd).observe(log);

function stayAtEnd() {
  if (atEnd) {
    log.scrollTop = log.scrollHeight;
  }
}

// People

let shown = null; // id → name of the last list; null before the first

export function showPeople(people, me) {
  const now = new Map(people.map((p) => [p.id, p.name]));
  if (shown?.has(me)) {
    people.filter((p) => !shown.has(p.id)).forEach((p) => note(`${p.name} has joined`));
    [...shown].filter(([key]) => !now.has(key)).forEach(([, name]) => note(`${name} has left`));
  }
  shown = now;
  id("count").textContent = people.length;
  part("people").replaceChildren(...people.map((p) => personItem(p, p.id === me)));
}

function personItem(person, isMe) {
  const item = element("li", {},
    element("span", { className: "face", ariaHidden: "true", textContent: [...person.name][0].toUpperCase() }),
    element("span", { className: "who", title: person.name, textContent: person.name }),
    element("span", { className: "where", textContent: isMe ? `${person.node}, you` : person.node }));
  item.style.setProperty("--hue", hue(person));
  return item;
}

const typing = new Map(); // id → { name, timer }

export function showTyping(person) {
  clearTimeout(typing.get(person.id)?.timer);
  typing.set(person.id, { name: person.name, timer: setTimeout(stopTyping, typingShown, person.id) });
  drawTyping();
}

function stopTyping(key) {
  clearTimeout(typing.get(key)?.timer);
  typing.delete(key);
  drawTyping();
}

function drawTyping() {
  const names = [...typing.values()].map((t) => t.name);
  id("typing").textContent = names.length === 0 ? "" : `${names.join(", ")} ${names.length === 1 ? "is" : "are"} typing…`;
}

// Forms

export function onJoin(f) {
  forms.join.addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem("name", nameField.value);
    f(nameField.value, roomField.value);
  });
}

// setJoined empties the screen for a room, and shows where to write.
export function setJoined(room) {
  const first = forms.say.hidden;
  forms.join.hidden = true;
  forms.say.hidden = false;
  id("empty").textContent = "No messages yet.";
  id("empty").hidden = false;
  [...messages.children].forEach(drop);
  atEnd = true;
  shown = null;
  showRooms(room);
  if (first) {
    textField.focus();
  }
}

const rooms = new Set(["lobby", "random", "help"]);

function showRooms(current) {
  rooms.add(current);
  part("title").textContent = `# ${current}`;
  part("rooms").replaceChildren(...[...rooms].map((room) => element("li", {},
    element("button", { type: "button", textContent: `# ${room}`, value: room, ariaPressed: String(room === current) }))));
}

// onRoom calls f with the room that somebody wants to go to.
export function onRoom(f) {
  part("rooms").addEventListener("click", (event) => {
    if (event.target.ariaPressed === "false") {
      f(event.target.value);
    }
  });
}

// onSay calls f with what was written. The text comes back if f returns false.
export function onSay(f) {
  forms.say.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = textField.value;
    if (text.trim() === "" || part("send").disabled) {
      return;
    }
    textField.value = "";
    atEnd = true;
    if (!await f(text) && textField.value === "") {
      textField.value = text;
    }
  });
  textField.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      forms.say.requestSubmit();
    }
  });
}

export function onTyping(f) {
  textField.addEventListener("input", f);
}

export function onBreak(f) {
  part("break").addEventListener("click", f);
}
