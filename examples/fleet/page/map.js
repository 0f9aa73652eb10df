// The map: trucks where they are. It knows nothing of connections.
import { layer } from "./tiles.js";

const quiet = 15_000; // ms without a reading: silent
const shaken = 30_000; // ms that a shock shows

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Trucks are those that are watched.
export class Trucks {
  constructor(element, center, { onMove, onSelect }) {
    this.trucks = new Map(); // id → {reading, marker, shock}
    this.changed = new Set();
    this.onSelect = onSelect;
    this.map = L.map(element, { preferCanvas: true, attributionControl: false, minZoom: 8, maxZoom: 17 })
      .setView([center.lat, center.lng], 12);
    layer(L).addTo(this.map);
    L.control.scale({ imperial: false }).addTo(this.map);
    let timer;
    this.map.on("moveend", () => {
      clearTimeout(timer);
      timer = setTimeout(onMove, 150);
    });
    new ResizeObserver(() => this.map.invalidateSize()).observe(element);
    setInterval(() => this.all(), 5000); // who is silent
  }

  bounds() {
    const b = this.map.getBounds();
    return { south: b.getSouth(), west: b.getWest(), north: b.getNorth(), east: b.getEast() };
  }

  // select sets one truck off from the others.
  select(id) {
    this.selected = id;
    this.trucks.forEach((t) => { t.state = ""; });
    this.all();
  }

  // show makes these the trucks on the map.
  show(readings) {
    const there = new Set(readings.map((r) => r.truckId));
    for (const [id, t] of this.trucks) {
      if (!there.has(id)) {
        t.marker.remove();
        this.trucks.delete(id);
      }
    }
    readings.forEach((r) => this.update(r, true));
  }

  // update moves a truck, if the reading is newer than what is known.
  update(reading, isNew = false) {
    let t = this.trucks.get(reading.truckId);
    if (!t && !isNew) return; // not watched any more
    if (t && Date.parse(t.reading.timestamp) >= Date.parse(reading.timestamp)) return;
    if (!t) {
      t = { marker: L.circleMarker([reading.latitude, reading.longitude], { weight: 2 }).addTo(this.map), shock: 0 };
      t.marker.on("click", () => this.onSelect(reading.truckId));
      this.trucks.set(reading.truckId, t);
    }
    t.reading = reading;
    if (reading.vibration > 4) t.shock = Date.now();
    if (this.changed.size === 0) requestAnimationFrame(() => this.draw());
    this.changed.add(t);
  }

  all() {
    this.trucks.forEach((t) => this.changed.add(t));
    this.draw();
  }

  draw() {
    for (const t of this.changed) {
      const { latitude, longitude } = t.reading;
      t.marker.setLatLng([latitude, longitude]);
      const state = stateOf(t);
      if (state !== t.state) {
        const mine = t.reading.truckId === this.selected;
        t.state = state;
        t.marker.setStyle({ color: css(mine ? "ink" : "panel"), weight: mine ? 4 : 2, fillColor: css(colours[state]), fillOpacity: 1 });
        t.marker.setRadius((state === "critical" ? 11 : state === "warning" ? 9 : 7) + (mine ? 2 : 0));
      }
    }
    this.changed.clear();
  }

  reading(id) {
    return this.trucks.get(id)?.reading;
  }

  ids() {
    return [...this.trucks.keys()].sort();
  }

  get count() {
    return this.trucks.size;
  }

  // flyTo shows a place, with the truck's name.
  flyTo({ lat, lng }, name) {
    const text = document.createElement("b");
    text.textContent = name;
    const zoom = Math.max(this.map.getZoom(), 14);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.map.setView([lat, lng], zoom);
    else this.map.flyTo([lat, lng], zoom, { duration: 0.8 });
    L.popup({ autoPan: false }).setLatLng([lat, lng]).setContent(text).openOn(this.map);
  }
}

const colours = { fine: "fine", warning: "wait", critical: "bad", stale: "faint" };

function stateOf({ reading, shock }) {
  if (Date.now() - shock < shaken) return "critical";
  if (Date.now() - Date.parse(reading.timestamp) > quiet) return "stale";
  return reading.temperature < 2 || reading.temperature > 8 ? "warning" : "fine";
}
