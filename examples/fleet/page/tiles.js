// A map that needs no network: land, parks, a river, and streets that follow from
// where they are, so that neighbouring tiles fit.

// chance is a number from 0 to 1 that belongs to three integers.
function chance(a, b, c) {
  let h = Math.imul(a, 374761393) ^ Math.imul(b, 668265263) ^ Math.imul(c, 1274126177);
  h = Math.imul(h ^ (h >>> 13), 1274126177);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Drawing is one tile. World coordinates go from 0 to 1.
class Drawing {
  constructor(canvas, { x, y, z }, size) {
    this.ctx = canvas.getContext("2d");
    this.size = size;
    this.scale = 2 ** z * size; // pixels of the world
    this.left = x / 2 ** z;
    this.top = y / 2 ** z;
    this.span = 1 / 2 ** z;
    this.zoom = z;
  }

  px(x) { return (x - this.left) * this.scale; }
  py(y) { return (y - this.top) * this.scale; }

  draw() {
    this.ctx.fillStyle = colour("land");
    this.ctx.fillRect(0, 0, this.size, this.size);
    this.parks(this.zoom - 1);
    this.river();
    const finest = Math.min(this.zoom + 2, 19);
    for (let level = finest; level > this.zoom - 2; level--) {
      this.streets(level, level <= this.zoom ? "road" : "street", level <= this.zoom ? 5 : level === this.zoom + 1 ? 3 : 1.5);
    }
  }

  // parks are in some of the cells of a level.
  parks(level) {
    const cell = 1 / 2 ** (level + 2);
    this.ctx.fillStyle = colour("park");
    for (let i = Math.floor(this.left / cell) - 1; i * cell < this.left + this.span + cell; i++) {
      for (let j = Math.floor(this.top / cell) - 1; j * cell < this.top + this.span + cell; j++) {
        if (chance(i, j, level) > 0.2) continue;
        const wide = (0.3 + 0.3 * chance(i, j, level + 50)) * cell * this.scale;
        this.ctx.beginPath();
        this.ctx.ellipse(this.px((i + 0.5) * cell), this.py((j + 0.5) * cell), wide, wide * 0.6, 3 * chance(i, j, 7), 0, 7);
        this.ctx.fill();
      }
    }
  }

  // river runs through the middle of the default map.
  river() {
    const y = (x) => 0.35282 + 0.00002 * Math.sin(x * 52000) + 0.00006 * Math.sin(x * 13000);
    this.line((t) => [this.left + t * this.span, y(this.left + t * this.span)], 48);
    this.ctx.strokeStyle = colour("water");
    this.ctx.lineWidth = Math.max(3, this.scale * 4e-6);
    this.ctx.stroke();
  }

  // streets of a level run both ways, not quite straight.
  streets(level, kind, width) {
    const gap = 1 / 2 ** level;
    for (const down of [false, true]) {
      const from = down ? this.left : this.top;
      const along = down ? this.top : this.left;
      for (let i = Math.floor(from / gap) - 1; i * gap < from + this.span + gap; i++) {
        const shift = 0.5 * chance(i, level, down ? 1 : 2);
        const bend = 6 * chance(i, level, down ? 3 : 4);
        this.line((t) => {
          const at = along + t * this.span;
          const across = (i + shift + 0.12 * Math.sin(at / gap * 0.9 + bend)) * gap;
          return down ? [across, at] : [at, across];
        }, 24);
        this.ctx.strokeStyle = colour("edge");
        this.ctx.lineWidth = width + 1.5;
        this.ctx.stroke();
        this.ctx.strokeStyle = colour(kind);
        this.ctx.lineWidth = width;
        this.ctx.stroke();
      }
    }
  }

  line(point, parts) {
    this.ctx.beginPath();
    for (let k = -1; k <= parts + 1; k++) {
      const [x, y] = point(k / parts);
      this.ctx.lineTo(this.px(x), this.py(y));
    }
  }
}

// layer is a layer for a map of the library L.
export function layer(L) {
  const Streets = L.GridLayer.extend({
    createTile(at) {
      const size = this.getTileSize();
      const canvas = document.createElement("canvas");
      canvas.width = size.x;
      canvas.height = size.y;
      new Drawing(canvas, at, size.x).draw();
      return canvas;
    },
  });
  const streets = new Streets({ minZoom: 8, maxZoom: 17 });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => streets.redraw());
  return streets;
}
