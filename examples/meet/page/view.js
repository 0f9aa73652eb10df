// What is on the screen. It knows nothing of connections.
import { canShare } from "./source.js";

const toastTime = 5000; // ms

const id = (name) => document.getElementById(name);
const part = (name) => document.querySelector(`[data-testid="meet-${name}"]`);
const video = id("video");

// element makes an element; children that are strings become text.
function element(tag, attributes, ...children) {
  const e = Object.assign(document.createElement(tag), attributes);
  e.append(...children);
  return e;
}

// nameOf is what a person called themselves: an id is that and a random end.
export function nameOf(user) {
  return user.replace(/-[^-]*$/, "") || user;
}

// hue gives everyone a colour of their own.
function hue(user) {
  let h = 0;
  for (const c of user) {
    h = (h * 31 + c.codePointAt(0)) % 360;
  }
  return h;
}

// Status

export function setRoom(room) {
  part("title").textContent = room;
  document.title = `${room} – Belfry meet`;
}

export function setStatus(state, text) {
  part("status").dataset.state = state;
  part("status").textContent = text;
}

export function showProblem(text) {
  part("problem").textContent = text;
}

export function toast(text) {
  const t = element("p", { className: "toast", textContent: text });
  part("toasts").append(t);
  setTimeout(() => t.remove(), toastTime);
}

// People

export function showPeople(users, me) {
  part("count").textContent = users.length;
  part("total").textContent = users.length;
  const sharer = users.find((u) => u.isSharing);
  part("sharing").textContent = sharer ? nameOf(sharer.id) : "nobody";
  part("people").replaceChildren(...users.map((u) => personItem(u, u.id === me)));
}

function personItem(user, isMe) {
  const joined = new Date(user.joinedAt);
  const name = nameOf(user.id);
  const item = element("li", {},
    element("span", { className: "face", ariaHidden: "true", textContent: [...name][0].toUpperCase() }),
    element("span", { className: "who", title: user.id },
      element("span", { className: "line" },
        element("span", { className: "name", textContent: name }),
        element("span", { className: "you", textContent: isMe ? "(You)" : "" })),
      element("span", { className: "since" }, "joined ",
        element("time", { dateTime: user.joinedAt, textContent: joined.toLocaleTimeString([], { timeStyle: "short" }) }))),
    element("span", { className: "dot", title: "online" }, element("span", { className: "unseen", textContent: "online" })));
  if (user.isSharing) {
    item.querySelector(".since").append(element("span", { className: "badge", textContent: "Sharing" }));
  }
  item.style.setProperty("--hue", hue(user.id));
  return item;
}

// Video

// showVideo shows what is shared: from a person, or mine; null: nothing.
export function showVideo(stream, { from = "", mine = false } = {}) {
  const shown = stream !== null;
  video.hidden = id("caption").hidden = !shown;
  id("waiting").hidden = shown;
  id("sound").hidden = true;
  video.muted = mine;
  video.srcObject = stream;
  showLive(true);
  if (!shown) {
    leaveFullScreen();
    return;
  }
  const hasSound = stream.getAudioTracks().length > 0;
  part("caption").textContent = mine ? "You share this" : `${nameOf(from)} shares this${hasSound ? "" : " (no sound)"}`;
  video.setAttribute("aria-label", mine ? "What you share" : `What ${nameOf(from)} shares`);
  play();
}

// showLive says whether the picture comes through.
export function showLive(live) {
  video.classList.toggle("stale", !live);
  id("stale").hidden = live;
}

// play begins without the sound where the browser wants a click for it.
async function play() {
  try {
    await video.play();
  } catch (err) {
    if (err.name === "NotAllowedError") {
      video.muted = true;
      id("sound").hidden = false;
      await video.play().catch(() => {});
    }
  }
}

id("sound").addEventListener("click", () => {
  video.muted = false;
  id("sound").hidden = true;
});

id("full").hidden = !video.requestFullscreen;
id("full").addEventListener("click", () => video.requestFullscreen().catch((err) => showProblem(err.message)));

function leaveFullScreen() {
  if (document.fullscreenElement) {
    document.exitFullscreen().catch(() => {});
  }
}

// Controls

const cannot = canShare(new URLSearchParams(location.search).get("source"));
id("cannot").textContent = cannot;
id("cannot").hidden = cannot === "";

let joined = false;
let sharing = "free"; // by nobody, "taken" by another, or "mine"

export function setJoined() {
  joined = true;
  showProblem("");
  drawShare();
}

export function setSharing(by) {
  sharing = by;
  drawShare();
}

function drawShare() {
  const button = part("share");
  button.disabled = !joined || cannot !== "" || sharing === "taken";
  button.textContent = sharing === "mine" ? "Stop sharing" : "Start sharing";
  button.classList.toggle("stop", sharing === "mine");
}

export function onShare(f) {
  part("share").addEventListener("click", f);
}

// onCopy copies the link that f returns.
export function onCopy(f) {
  part("copy").addEventListener("click", async () => {
    const link = f();
    try {
      await navigator.clipboard.writeText(link);
      toast("The link is copied");
    } catch {
      prompt("Copy this link:", link); // no clipboard for pages without https
    }
  });
}

export function onLeave(f) {
  part("leave").addEventListener("click", f);
}
