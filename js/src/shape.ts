import {
  type Box,
  bounds,
  contains,
  distance,
  distanceToSegment,
  insidePolygon,
  type Point,
} from "./geometry";
import type { Mask } from "./mask";
import { rasterEllipse, rasterPolygon, resample } from "./raster";

/** What was drawn and can still be moved by its handles. A stamp is a mask with the box it came from. */
export type Shape =
  | { readonly kind: "box"; readonly box: Box }
  | { readonly kind: "ellipse"; readonly box: Box }
  | { readonly kind: "polygon" | "lasso"; readonly points: readonly Point[] }
  | { readonly kind: "stamp"; readonly mask: Mask; readonly from: Box; readonly box: Box };

export function rasterShape(shape: Shape, height: number, width: number): Mask {
  switch (shape.kind) {
    case "box": {
      const { top, left } = shape.box;
      const right = left + shape.box.width;
      const bottom = top + shape.box.height;
      return rasterPolygon(
        [
          { x: left, y: top },
          { x: right, y: top },
          { x: right, y: bottom },
          { x: left, y: bottom },
        ],
        height,
        width,
      );
    }
    case "ellipse":
      return rasterEllipse(shape.box, height, width);
    case "polygon":
    case "lasso":
      return rasterPolygon(shape.points, height, width);
    case "stamp":
      return resample(shape.mask, shape.from, shape.box);
  }
}

/** Corners and middles of the sides, clockwise from top left: fractions of the box. */
const HANDLES: readonly (readonly [number, number])[] = [
  [0, 0],
  [0.5, 0],
  [1, 0],
  [1, 0.5],
  [1, 1],
  [0.5, 1],
  [0, 1],
  [0, 0.5],
];

export const CURSORS = [
  "nwse-resize",
  "ns-resize",
  "nesw-resize",
  "ew-resize",
  "nwse-resize",
  "ns-resize",
  "nesw-resize",
  "ew-resize",
] as const;

export function handles(shape: Shape): readonly Point[] {
  if ("points" in shape) return shape.kind === "polygon" ? shape.points : [];
  const { top, left, height, width } = shape.box;
  return HANDLES.map(([fx, fy]) => ({ x: left + fx * width, y: top + fy * height }));
}

/** The handle within `reach` (image pixels) of a point, -1 for none. */
export function handleAt(shape: Shape, point: Point, reach: number): number {
  let best = -1;
  let nearest = reach;
  handles(shape).forEach((handle, index) => {
    const away = distance(handle, point);
    if (away <= nearest) {
      nearest = away;
      best = index;
    }
  });
  return best;
}

/** The corner before the edge within `reach` of a point, -1 for none; of polygons only. */
export function edgeAt(shape: Shape, point: Point, reach: number): number {
  if (shape.kind !== "polygon") return -1;
  const { points } = shape;
  const away = points.map((from, index) =>
    distanceToSegment(point, from, points[(index + 1) % points.length]!),
  );
  const nearest = Math.min(...away);
  return nearest <= reach ? away.indexOf(nearest) : -1;
}

/** A polygon with one corner more, after the one given. */
export function withCorner(shape: Shape, after: number, at: Point): Shape {
  if (shape.kind !== "polygon") return shape;
  const { points } = shape;
  return { ...shape, points: [...points.slice(0, after + 1), at, ...points.slice(after + 1)] };
}

/** A polygon with one corner less, as long as three are left. */
export function withoutCorner(shape: Shape, index: number): Shape {
  if (shape.kind !== "polygon" || shape.points.length < 4) return shape;
  return { ...shape, points: shape.points.filter((_, each) => each !== index) };
}

export function inside(shape: Shape, point: Point): boolean {
  return "points" in shape ? insidePolygon(shape.points, point) : contains(shape.box, point);
}

export function moved(shape: Shape, dx: number, dy: number): Shape {
  const by = { x: Math.round(dx), y: Math.round(dy) };
  if ("points" in shape) {
    return { ...shape, points: shape.points.map((p) => ({ x: p.x + by.x, y: p.y + by.y })) };
  }
  const { box } = shape;
  return { ...shape, box: { ...box, left: box.left + by.x, top: box.top + by.y } };
}

/** The shape with one handle dragged to a point, beyond the opposite side too. */
export function reshaped(shape: Shape, handle: number, to: Point): Shape {
  if ("points" in shape) {
    return { ...shape, points: shape.points.map((p, index) => (index === handle ? to : p)) };
  }
  const [fx, fy] = HANDLES[handle]!;
  const { box } = shape;
  const [left, width] = stretched(box.left, box.width, fx, to.x);
  const [top, height] = stretched(box.top, box.height, fy, to.y);
  return { ...shape, box: { left, top, width, height } };
}

/** Start and length of a side of which one end is dragged; at least one pixel is left. */
function stretched(start: number, length: number, end: number, to: number): [number, number] {
  if (end === 0.5) return [start, length];
  const held = end === 0 ? start + length : start;
  const away = Math.round(to) - held || (end === 0 ? -1 : 1);
  return [Math.min(held, held + away), Math.abs(away)];
}

/** The whole region as something to move and stretch; null when it is empty. */
export function stampOf(mask: Mask): Shape | null {
  const box = mask.box();
  return box && { kind: "stamp", mask, from: box, box };
}

export const boxOf = (shape: Shape): Box => ("points" in shape ? bounds(shape.points) : shape.box);
