// The conversation with the server. What is on the screen is view.js's and map.js's,
// what has happened feed.js's.
//
// The events are those of package fleet. The client is the official one.
import { Feed } from "./feed.js";
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
  const live = () => socket.connected;
  const onProblem = (text) => live() && view.showProblem(text);
  const alerts = new Feed("alerts", { ask, live, onChange: drawAlerts, onProblem });
  const orders = new Feed("orders", { ask, live, onChange: drawOrders, onProblem });
  let fleet = ""; // shown; empty: all
  let selected = "";
  let asked = 0;

  const all = user.role === "MANAGER";
  const fleets = (all ? config.fleets : user.fleets) ?? [];
  view.setFilters(fleets.length > 1 ? fleets : [], (name) => {
    fleet = name;
    watch();
    drawAlerts();
  });

  // Connection

  socket.on("connect", () => {
    view.setStatus("good", `Connected to ${config.node}`);
    view.showProblem("");
    if (!socket.recovered) {
      alerts.catchUp();
      orders.catchUp();
    }
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
      onProblem(`The trucks are not up to date: ${err.message}`);
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
    return !id || trucks.reading(id) ? undefined : watch();
  }

  // find shows a truck where it is now.
  async function find(id) {
    const before = selected;
    await select(id);
    const reading = trucks.reading(id);
    if (!reading) {
      await select(before); // else it is asked for again and again
      view.showProblem(`${id} is no truck that you may see, or it has not reported for a while.`);
      return;
    }
    view.showProblem("");
    trucks.flyTo({ lat: reading.latitude, lng: reading.longitude }, id);
  }
  view.setFind(() => trucks.ids(), find);

  function drawTruck() {
    view.showTruck(selected, trucks.reading(selected), all ? shock : null);
  }

  async function shock() {
    try {
      await call("api/telemetry/simulate/shock", { truckId: selected }, token);
    } catch (err) {
      view.showProblem(`No alarm was made: ${err.message}`);
    }
  }

  // What has happened

  socket.on("notification", (news) => {
    if (news?.type === "ORDER") orders.add(news);
    else if (alerts.add(news) && news.type === "CRITICAL") view.speak(`${news.truckId}: ${news.message}`);
  });

  function drawAlerts() {
    const shown = alerts.newest().filter((a) => !fleet || a.truckId.startsWith(`${fleet}-`));
    view.showAlerts(shown, (a) => {
      trucks.flyTo(a.location, a.truckId);
      select(a.truckId);
    });
    view.setOlder("older", alerts.next && (() => alerts.older()));
  }

  const sees = (truck) => all || fleets.some((name) => truck?.startsWith(`${name}-`));

  function drawOrders() {
    view.showOrders(orders.newest(), user.username, sees, find);
    view.setOlder("older-orders", orders.next && (() => orders.older()));
  }
  drawAlerts();
  drawOrders();

  async function ask(event, payload) {
    const answer = await socket.timeout(ackTimeout).emitWithAck(event, payload);
    if (answer?.error) throw new Error(answer.error.message);
    return answer;
  }
}
