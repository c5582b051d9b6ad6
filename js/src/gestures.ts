import {
  around,
  type Box,
  boxBetween,
  distance,
  type Point,
  snapped,
  squareAt,
  squared,
} from "./geometry";
import type { Mask } from "./mask";
import { stampSegment } from "./raster";
import { boxOf, moved, reshaped, type Shape } from "./shape";
import type { Tool } from "./traits";

/** What a gesture needs to know about the picture it draws on. */
export interface Surface {
  readonly height: number;
  readonly width: number;
  readonly region: Mask;
  readonly brushSize: number;
  /** Side of the grid that boxes snap to, 0 for none. */
  readonly cell: number;
  /** Side of the square that a click takes then, cells. */
  readonly cells: number;
  /** Image pixels that a hand may shake without meaning it. */
  readonly reach: number;
}

/** What is on the screen before the gesture is done. */
export interface Draft {
  readonly shape?: Shape;
  readonly open?: readonly Point[];
  readonly mask?: Mask;
  /** Around all pixels of the mask, where it is known. */
  readonly box?: Box | null;
}

export type Drawn = { readonly shape: Shape } | { readonly mask: Mask };

/** From the press to the release; a polygon goes on until it is closed. */
export interface Gesture {
  readonly draft: Draft;
  move(to: Point, square: boolean): void;
  /** The pointer went up; true when the gesture is over. */
  release(at: Point): boolean;
  /** Double click or Enter; true when the gesture is over. */
  close(): boolean;
  /** Takes the last step back; false when nothing would be left. */
  back?(): boolean;
  result(): Drawn | null;
}

/** What a click takes while boxes snap to the grid. */
export function squareTarget(kind: "box" | "ellipse", at: Point, surface: Surface): Shape {
  const { cell, cells, height, width } = surface;
  return { kind, box: squareAt(at, cell, cells, height, width) };
}

export function boxGesture(kind: "box" | "ellipse", from: Point, surface: Surface): Gesture {
  const { height, width, cell, reach } = surface;
  let to = from;
  const dragged = () => distance(from, to) > reach;
  const box = (): Box => {
    const touched = boxBetween(from, to, height, width);
    return cell ? snapped(touched, cell, height, width) : touched;
  };
  const shape = (): Shape =>
    cell && !dragged() ? squareTarget(kind, from, surface) : { kind, box: box() };
  return {
    get draft() {
      return { shape: shape() };
    },
    move(point, square) {
      to = square ? squared(from, point) : point;
    },
    release: () => true,
    close: () => true,
    result() {
      const drawn = shape();
      const { height: rows, width: columns } = boxOf(drawn);
      if (!cell && !dragged()) return null;
      return rows > 0 && columns > 0 ? { shape: drawn } : null;
    },
  };
}

export function lassoGesture(from: Point, surface: Surface): Gesture {
  const points = [from];
  return {
    get draft() {
      return { open: points };
    },
    move(point) {
      if (distance(point, points.at(-1)!) > surface.reach / 4) points.push(point);
    },
    release: () => true,
    close: () => true,
    result: () => (points.length > 2 ? { shape: { kind: "lasso", points } } : null),
  };
}

export function polygonGesture(from: Point, surface: Surface): Gesture {
  const points = [from];
  let to = from;
  const again = (point: Point) => points.some((other) => distance(point, other) <= surface.reach);
  return {
    get draft() {
      return { open: [...points, to] };
    },
    move(point) {
      to = point;
    },
    release(point) {
      if (points.length > 2 && distance(point, points[0]!) <= 2 * surface.reach) return true;
      if (!again(point)) points.push(point);
      return false;
    },
    close: () => points.length > 2,
    back() {
      points.pop();
      return points.length > 0;
    },
    result: () => (points.length > 2 ? { shape: { kind: "polygon", points } } : null),
  };
}

export function brushGesture(from: Point, surface: Surface, value: 0 | 1): Gesture {
  const mask = surface.region.copy();
  let box = mask.box();
  let last = from;
  const stamp = (a: Point, b: Point) => {
    const touched = stampSegment(mask, a, b, surface.brushSize, value);
    if (value && touched.height > 0 && touched.width > 0) box = around(box, touched);
  };
  stamp(from, from);
  return {
    get draft() {
      return { mask, box };
    },
    move(point) {
      stamp(last, point);
      last = point;
    },
    release: () => true,
    close: () => true,
    result: () => ({ mask }),
  };
}

/** Drags a shape (handle -1) or one of its handles. */
export function editGesture(shape: Shape, handle: number, from: Point): Gesture {
  let current = shape;
  return {
    get draft() {
      return { shape: current };
    },
    move(point) {
      current =
        handle < 0
          ? moved(shape, point.x - from.x, point.y - from.y)
          : reshaped(shape, handle, point);
    },
    release: () => true,
    close: () => true,
    result: () => (current === shape ? null : { shape: current }),
  };
}

/** The gesture that a press begins with a drawing tool, null for the others. */
export function begin(tool: Tool, from: Point, surface: Surface): Gesture | null {
  switch (tool) {
    case "box":
    case "ellipse":
      return boxGesture(tool, from, surface);
    case "lasso":
      return lassoGesture(from, surface);
    case "polygon":
      return polygonGesture(from, surface);
    case "brush":
      return brushGesture(from, surface, 1);
    case "eraser":
      return brushGesture(from, surface, 0);
    default:
      return null;
  }
}
