import type { Place } from "./places";
import type { Sources } from "./sources";
import type { StageModel } from "./traits";

type Context = CanvasRenderingContext2D;

const HALO = "rgba(0, 0, 0, 0.65)";
export const COLORS = {
  region: "#ffd60a",
  prediction: "#22d3ee",
  original: "#ffffff",
  truth: "#4ade80",
} as const;

export interface Look {
  /** Canvas pixels per pixel of the picture. */
  readonly scale: number;
  /** Canvas pixels per CSS pixel. */
  readonly ratio: number;
  readonly place: Place | null;
  /** Cell under the keyboard's cursor. */
  readonly cursor: Place | null;
}

/** Paints one frame. */
export function paint(context: Context, model: StageModel, sources: Sources, look: Look): void {
  const { width, height } = context.canvas;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  const { scale } = look;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.imageSmoothingQuality = "high";
  const { grid, pictureCanvas, pasteCanvas, effectCanvas } = sources;
  if (!pictureCanvas) return;
  context.drawImage(pictureCanvas, 0, 0, grid.width, grid.height);
  const { place } = look;
  if (place && pasteCanvas) {
    context.imageSmoothingEnabled = false;
    context.drawImage(pasteCanvas, place[1], place[0], grid.size, grid.size);
    context.imageSmoothingEnabled = true;
  }
  if (effectCanvas) paintEffect(context, effectCanvas, grid.size, model.get("opacity"));
  outline(context, sources.edge("original"), COLORS.original, 1.4, look, [2, 3]);
  outline(context, sources.edge("prediction"), COLORS.prediction, 2, look);
  outline(context, sources.edge("truth"), COLORS.truth, 1.6, look, [4, 6]);
  outline(context, sources.edge("region"), COLORS.region, 2, look);
  if (place) outline(context, square(place, grid.size), "#ffffff", 3, look);
  model.get("chosen").forEach((cell, index) => {
    const at: Place = [cell[0] * grid.size, cell[1] * grid.size];
    outline(context, square(at, grid.size), "#ffffff", 2.5, look);
    if (model.get("numbered")) number(context, index + 1, at, grid.size, look);
  });
  if (look.cursor) {
    const at: Place = [look.cursor[0] * grid.size, look.cursor[1] * grid.size];
    outline(context, square(at, grid.size), "#ffffff", 1.5, look, [3, 3]);
  }
}

function paintEffect(context: Context, map: HTMLCanvasElement, size: number, opacity: number) {
  context.save();
  context.imageSmoothingEnabled = false;
  context.globalAlpha = opacity;
  context.drawImage(map, 0, 0, map.width * size, map.height * size);
  context.restore();
}

function square([top, left]: Place, size: number): Path2D {
  const path = new Path2D();
  path.rect(left, top, size, size);
  return path;
}

/** A line of a width in CSS pixels, with a dark rim so that it shows on every ground. */
function outline(
  context: Context,
  path: Path2D | null,
  color: string,
  width: number,
  { scale, ratio }: Look,
  dash: readonly number[] = [],
): void {
  if (!path) return;
  const unit = ratio / scale;
  context.lineJoin = "round";
  for (const [stroke, extra] of [
    [HALO, 2],
    [color, 0],
  ] as const) {
    context.strokeStyle = stroke;
    context.lineWidth = (width + extra) * unit;
    context.setLineDash(dash.map((length) => length * unit));
    context.stroke(path);
  }
  context.setLineDash([]);
}

function number(context: Context, value: number, at: Place, size: number, look: Look): void {
  const unit = look.ratio / look.scale;
  const [y, x] = [at[0] + size / 2, at[1] + size / 2];
  context.font = `600 ${13 * unit}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 3.5 * unit;
  context.strokeStyle = HALO;
  context.strokeText(String(value), x, y);
  context.fillStyle = "#ffffff";
  context.fillText(String(value), x, y);
}
