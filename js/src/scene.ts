import { outline } from "./contour";
import type { Box, Point } from "./geometry";
import type { Draft } from "./gestures";
import type { Mask } from "./mask";
import type { Shape } from "./shape";
import type { Letters } from "./traits";
import type { Frame, View } from "./view";

export interface Layer {
  readonly canvas: HTMLCanvasElement;
  readonly opacity: number;
}

/** A mask ready to be painted: its bounding box with tinted pixels, its edge in image coordinates. */
export interface Tinted {
  readonly box: Box;
  readonly fill: HTMLCanvasElement;
  readonly edge: Path2D;
}

/** Everything that one frame shows, nothing of where it came from. */
export interface Scene {
  readonly frame: Frame;
  readonly view: View;
  readonly ratio: number;
  readonly smooth: boolean;
  readonly picture: HTMLCanvasElement | null;
  readonly effect: HTMLCanvasElement | null;
  readonly opacity: number;
  readonly layers: readonly Layer[];
  /** Rises whenever Python has drawn on a layer. */
  readonly layersDrawn: number;
  readonly region: Tinted | null;
  readonly contourOpacity: number;
  /** Fainter while a shape is drawn that may replace it. */
  readonly regionOpacity: number;
  readonly regionColor: string;
  readonly others: readonly { readonly edge: Path2D; readonly color: string }[];
  readonly patchSize: number;
  readonly grid: boolean;
  readonly patch: readonly [number, number] | null;
  readonly draft: Draft | null;
  /** What a click would take. */
  readonly offer: { readonly tint: Tinted | null; readonly shape: Shape | null } | null;
  readonly shape: Shape | null;
  readonly crosshair: Point | null;
  readonly ring: { readonly at: Point; readonly size: number } | null;
  readonly millimetres: number | null;
  readonly letters: Letters | null;
}

export const REGION_COLOR = "#ffd60a";
const REGION_TINT = [255, 214, 10, 40] as const;

export function canvasOf(
  pixels: Uint8ClampedArray<ArrayBuffer>,
  width: number,
  height: number,
): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")!.putImageData(new ImageData(pixels, width, height), 0, 0);
  return canvas;
}

const WORD = new Uint32Array(Uint8Array.from(REGION_TINT).buffer)[0]!;

/** Pixels from which on a mask that is still being painted is shown without its edge. */
const LARGE = 4e6;

/** A mask under the brush, prepared for every frame: the edge of a very large one can wait. */
export const tintedDraft = (mask: Mask, box?: Box | null): Tinted | null =>
  tinted(mask, mask.data.length < LARGE, box ?? mask.box());

/** Null when nothing is set. */
export function tinted(mask: Mask, edged = true, box = mask.box()): Tinted | null {
  if (!box) return null;
  const pixels = new Uint8ClampedArray(box.height * box.width * 4);
  const words = new Uint32Array(pixels.buffer);
  for (let row = 0; row < box.height; row++) {
    const from = (box.top + row) * mask.width + box.left;
    const to = row * box.width;
    for (let column = 0; column < box.width; column++) {
      if (mask.data[from + column]) words[to + column] = WORD;
    }
  }
  return {
    box,
    fill: canvasOf(pixels, box.width, box.height),
    edge: edged ? edgeOf(mask, box) : new Path2D(),
  };
}

const tints = new WeakMap<Mask, Tinted | null>();

/** A mask that will not change, prepared once. */
export function tintOf(mask: Mask): Tinted | null {
  const known = tints.get(mask);
  if (known !== undefined) return known;
  const made = tinted(mask);
  tints.set(mask, made);
  return made;
}

/** What was prepared in one box, moved and stretched into another. */
export function stretched({ box: from, fill, edge }: Tinted, box: Box): Tinted {
  const scaleX = box.width / from.width;
  const scaleY = box.height / from.height;
  const moved = new Path2D();
  const [offsetX, offsetY] = [box.left - from.left * scaleX, box.top - from.top * scaleY];
  moved.addPath(edge, { a: scaleX, b: 0, c: 0, d: scaleY, e: offsetX, f: offsetY });
  return { box, fill, edge: moved };
}

export function edgeOf(mask: Mask, box = mask.box()): Path2D {
  const path = new Path2D();
  const segments = outline(mask, box);
  for (let i = 0; i < segments.length; i += 4) {
    path.moveTo(segments[i]!, segments[i + 1]!);
    path.lineTo(segments[i + 2]!, segments[i + 3]!);
  }
  return path;
}
