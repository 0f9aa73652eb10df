// The conversation with the server. What is on the screen is view.js's and map.js's.
//
// The events are those of package fleet. The client is the official one.
import { Trucks } from "./map.js";
import * as view from "./view.js";

const ackTimeout = 8000; // ms
const lookAgain = 10_000; // ms: trucks drive into the map and out of it
const most = 50; // trucks on the map

const config = await (await fetch("config.json")).json();
view.setLinks(config.links ?? []);
if (!globalThis.io || !globalThis.L) {
  view.setStatus("bad", "No client");
  view.showProblem("The browser client or the map library is not in this build: run `make build`, start the server again and reload this page.");
} else {
  enter(sessionStorage.getItem("fleet-token"));
}

// enter shows the board to who has a token that is good, else the login.
async function enter(token) {
  const who = token && await post("verify", { token }).catch(() => null);
  if (who) {
    start(token, who.user);
    return;
  }
  sessionStorage.removeItem("fleet-token");
  view.setStatus("waiting", "Not logged in");
  view.showLogin(config.demo ?? [], login);
}

async function login(username, password) {
  view.showRefused("");
  try {
    const { token } = await post("login", { username, password });
    sessionStorage.setItem("fleet-token", token);
    enter(token);
  } catch (err) {
    view.showRefused(err.message);
  }
}

async function post(what, body) {
  return call(`api/auth/${what}`, body);
}

async function call(path, body, token = "") {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const res = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const answer = await res.json().catch(() => ({}));
  if (!res.ok) throw new Error(answer.error ?? `the server answers ${res.status}`);
  return answer;
}

function logout() {
  sessionStorage.removeItem("fleet-token");
  location.reload();
}

function start(token, user) {
  view.showBoard(user, config.source, logout);
  const socket = globalThis.io(config.namespace, { auth: { token }, reconnectionDelayMax: 5000 });
  const trucks = new Trucks(document.getElementById("map"), config.center, { onMove: watch, onSelect: select });
  const alerts = new Map(); // by id
  let next = ""; // asks for older ones
  let fleet = ""; // shown; empty: all
  let selected = "";
  let asked = 0;

  const fleets = user.role === "MANAGER" ? ["NORTH", "EAST", "SOUTH", "WEST"] : user.fleets;
  view.setFilters(fleets.length > 1 ? fleets : [], (name) => {
    fleet = name;
    watch();
    drawAlerts();
  });

  // Connection

  socket.on("connect", () => {
    view.setStatus("good", `Connected to ${config.node}`);
    view.showProblem("");
    if (!socket.recovered) catchUp();
    watch();
  });
  socket.on("disconnect", () => {
    if (socket.active) view.setStatus("waiting", "Reconnecting…");
    else enter(token); // the session has ended
  });
  socket.on("connect_error", (err) => {
    if (err.data?.code === "login") logout();
    else view.setStatus("waiting", "Connecting…");
  });
  addEventListener("pagehide", () => socket.disconnect());
  addEventListener("pageshow", (event) => event.persisted && location.reload());

  // Trucks

  // watch says what is looked at. The answer has what is true at the moment; what
  // comes after it are changes.
  async function watch() {
    if (!socket.connected) return;
    const turn = ++asked;
    try {
      const answer = await ask("watch", {
        bounds: trucks.bounds(), limit: most, fleets: fleet ? [fleet] : [], trucks: selected ? [selected] : [],
      });
      if (turn !== asked) return; // the map has moved on
      trucks.show(answer.trucks);
      view.setShown(trucks.count, answer);
      drawTruck();
    } catch (err) {
      if (socket.connected) view.showProblem(`The trucks are not up to date: ${err.message}`);
    }
  }
  setInterval(watch, lookAgain);

  socket.on("truck_update", (reading) => {
    trucks.update(reading);
    if (reading.truckId === selected) drawTruck();
  });

  function select(id) {
    selected = id;
    trucks.select(id);
    drawTruck();
    if (!trucks.reading(id)) watch();
  }

  function drawTruck() {
    view.showTruck(selected, trucks.reading(selected), user.role === "MANAGER" ? shock : null);
  }

  async function shock() {
    try {
      await call("api/telemetry/simulate/shock", { truckId: selected }, token);
    } catch (err) {
      view.showProblem(`No alarm was made: ${err.message}`);
    }
  }

  // Alerts

  socket.on("notification", (alert) => {
    if (!alert?.id || alerts.has(alert.id)) return;
    alerts.set(alert.id, alert);
    drawAlerts();
    if (alert.type === "CRITICAL") view.speak(`${alert.truckId}: ${alert.message}`);
  });

  // catchUp reads what was told while nobody listened. The server is listened to
  // already, so nothing is missing between; what comes twice has one id.
  async function catchUp() {
    try {
      const page = await ask("alerts", { limit: 50 });
      if (alerts.size === 0 || page.alerts.every((a) => !alerts.has(a.id))) next = page.next;
      keep(page.alerts);
    } catch (err) {
      if (socket.connected) {
        view.showProblem(`Earlier alerts are not here yet: ${err.message}`);
        setTimeout(() => socket.connected && catchUp(), 3000);
      }
    }
  }

  async function older() {
    const page = await ask("alerts", { before: next, limit: 50 });
    next = page.next;
    keep(page.alerts);
  }

  function keep(list) {
    list.forEach((a) => alerts.set(a.id, a));
    view.showProblem("");
    drawAlerts();
  }

  function drawAlerts() {
    const shown = [...alerts.values()]
      .filter((a) => !fleet || a.truckId.startsWith(`${fleet}-`))
      .sort((a, b) => Date.parse(b.time) - Date.parse(a.time) || b.id.localeCompare(a.id));
    view.showAlerts(shown, (a) => {
      trucks.flyTo(a.location, a.truckId);
      select(a.truckId);
    });
    view.setOlder(next ? () => older().catch((err) => view.showProblem(err.message)) : null);
  }
  drawAlerts();

  async function ask(event, payload) {
    const answer = await socket.timeout(ackTimeout).emitWithAck(event, payload);
    if (answer?.error) throw new Error(answer.error.message);
    return answer;
  }
}
