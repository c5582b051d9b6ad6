/** Points and boxes in image coordinates: pixel (row, column) covers [column, column + 1) x [row, row + 1). */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

export const clamp = (value: number, low: number, high: number): number =>
  Math.min(Math.max(value, low), high);

/** The box of whole pixels touched by a drag from one point to another, cut to the image. */
export function boxBetween(a: Point, b: Point, height: number, width: number): Box {
  const left = clamp(Math.floor(Math.min(a.x, b.x)), 0, width);
  const top = clamp(Math.floor(Math.min(a.y, b.y)), 0, height);
  const right = clamp(Math.ceil(Math.max(a.x, b.x)), left, width);
  const bottom = clamp(Math.ceil(Math.max(a.y, b.y)), top, height);
  return { top, left, height: bottom - top, width: right - left };
}

/** A drag with equal sides: the corner is moved out to the longer side. */
export function squared(a: Point, b: Point): Point {
  const side = Math.max(Math.abs(b.x - a.x), Math.abs(b.y - a.y));
  return { x: a.x + side * (b.x < a.x ? -1 : 1), y: a.y + side * (b.y < a.y ? -1 : 1) };
}

/** The smallest box of whole grid cells around a box, cut to the image. */
export function snapped(box: Box, cell: number, height: number, width: number): Box {
  const left = Math.floor(box.left / cell) * cell;
  const top = Math.floor(box.top / cell) * cell;
  const right = Math.min(Math.ceil((box.left + box.width) / cell) * cell, width);
  const bottom = Math.min(Math.ceil((box.top + box.height) / cell) * cell, height);
  return { top, left, height: bottom - top, width: right - left };
}

/** A square of `count` grid cells a side around the cell of a point, moved and cut to the image. */
export function squareAt(
  point: Point,
  cell: number,
  count: number,
  height: number,
  width: number,
): Box {
  const start = (at: number, size: number) => {
    const cells = Math.ceil(size / cell);
    const first = Math.floor(at / cell) - Math.floor((count - 1) / 2);
    return clamp(first, 0, Math.max(cells - count, 0)) * cell;
  };
  const top = start(point.y, height);
  const left = start(point.x, width);
  const side = cell * count;
  return { top, left, height: Math.min(side, height - top), width: Math.min(side, width - left) };
}

/** The smallest box around two boxes, of which the first may be none. */
export function around(a: Box | null, b: Box): Box {
  if (!a) return b;
  const top = Math.min(a.top, b.top);
  const left = Math.min(a.left, b.left);
  const bottom = Math.max(a.top + a.height, b.top + b.height);
  const right = Math.max(a.left + a.width, b.left + b.width);
  return { top, left, height: bottom - top, width: right - left };
}

export function bounds(points: readonly Point[]): Box {
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  const left = Math.min(...xs);
  const top = Math.min(...ys);
  return { top, left, height: Math.max(...ys) - top, width: Math.max(...xs) - left };
}

export const contains = (box: Box, point: Point): boolean =>
  point.x >= box.left &&
  point.x < box.left + box.width &&
  point.y >= box.top &&
  point.y < box.top + box.height;

/** Even-odd rule, the same as the rasteriser's. */
export function insidePolygon(points: readonly Point[], point: Point): boolean {
  let inside = false;
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const a = points[i]!;
    const b = points[j]!;
    if (a.y > point.y !== b.y > point.y) {
      const x = a.x + ((point.y - a.y) / (b.y - a.y)) * (b.x - a.x);
      if (point.x < x) inside = !inside;
    }
  }
  return inside;
}

/** How far a point is from the segment between two others. */
export function distanceToSegment(point: Point, a: Point, b: Point): number {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : clamp(((point.x - a.x) * dx + (point.y - a.y) * dy) / length, 0, 1);
  return distance(point, { x: a.x + t * dx, y: a.y + t * dy });
}

export const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);
