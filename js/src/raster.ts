import { type Box, clamp, type Point } from "./geometry";
import { Mask } from "./mask";

/** Pixels whose centre lies inside the polygon (even-odd rule). */
export function rasterPolygon(points: readonly Point[], height: number, width: number): Mask {
  const mask = new Mask(height, width);
  if (points.length < 3) return mask;
  for (let row = 0; row < height; row++) {
    const crossings = crossingsAt(points, row + 0.5);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = clamp(Math.ceil(crossings[i]! - 0.5), 0, width);
      const to = clamp(Math.ceil(crossings[i + 1]! - 0.5), 0, width);
      mask.data.fill(1, row * width + from, row * width + to);
    }
  }
  return mask;
}

function crossingsAt(points: readonly Point[], y: number): number[] {
  const crossings: number[] = [];
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const a = points[i]!;
    const b = points[j]!;
    if (a.y > y !== b.y > y) crossings.push(a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x));
  }
  return crossings.sort((a, b) => a - b);
}

/** Pixels whose centre lies inside the ellipse that fills the box. */
export function rasterEllipse(box: Box, height: number, width: number): Mask {
  const mask = new Mask(height, width);
  const radiusX = box.width / 2;
  const radiusY = box.height / 2;
  const centreX = box.left + radiusX;
  const centreY = box.top + radiusY;
  const first = clamp(Math.floor(box.top), 0, height);
  const last = clamp(Math.ceil(box.top + box.height), 0, height);
  for (let row = first; row < last; row++) {
    const t = (row + 0.5 - centreY) / radiusY;
    const half = radiusX * Math.sqrt(Math.max(0, 1 - t * t));
    const from = clamp(Math.ceil(centreX - half - 0.5), 0, width);
    const to = clamp(Math.ceil(centreX + half - 0.5), from, width);
    mask.data.fill(1, row * width + from, row * width + to);
  }
  return mask;
}

/**
 * Sets (or clears) the pixels within size / 2 of the segment; a dab always covers its own pixel.
 * Gives a box around all that it may have touched.
 */
export function stampSegment(mask: Mask, a: Point, b: Point, size: number, value: 0 | 1): Box {
  const radius = Math.max(size / 2, 0.5);
  const top = clamp(Math.floor(Math.min(a.y, b.y) - radius), 0, mask.height);
  const bottom = clamp(Math.ceil(Math.max(a.y, b.y) + radius), 0, mask.height);
  const left = clamp(Math.floor(Math.min(a.x, b.x) - radius), 0, mask.width);
  const right = clamp(Math.ceil(Math.max(a.x, b.x) + radius), 0, mask.width);
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const length = dx * dx + dy * dy;
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const px = column + 0.5 - a.x;
      const py = row + 0.5 - a.y;
      const t = length === 0 ? 0 : clamp((px * dx + py * dy) / length, 0, 1);
      if ((px - t * dx) ** 2 + (py - t * dy) ** 2 <= radius * radius) {
        mask.data[row * mask.width + column] = value;
      }
    }
  }
  for (const point of [a, b]) {
    const row = Math.floor(point.y);
    const column = Math.floor(point.x);
    if (row >= 0 && column >= 0 && row < mask.height && column < mask.width) {
      mask.data[row * mask.width + column] = value;
    }
  }
  return { top, left, height: bottom - top, width: right - left };
}

/** The mask stretched from one box onto another, nearest pixel. */
export function resample(source: Mask, from: Box, to: Box): Mask {
  const mask = new Mask(source.height, source.width);
  const top = clamp(Math.round(to.top), 0, mask.height);
  const bottom = clamp(Math.round(to.top + to.height), 0, mask.height);
  const left = clamp(Math.round(to.left), 0, mask.width);
  const right = clamp(Math.round(to.left + to.width), 0, mask.width);
  for (let row = top; row < bottom; row++) {
    const y = Math.floor(from.top + ((row + 0.5 - to.top) / to.height) * from.height);
    for (let column = left; column < right; column++) {
      const x = Math.floor(from.left + ((column + 0.5 - to.left) / to.width) * from.width);
      if (source.at(y, x)) mask.data[row * mask.width + column] = 1;
    }
  }
  return mask;
}
