import { lengthText, scaleBarLength } from "./format";
import type { Point } from "./geometry";
import type { Scene } from "./scene";
import type { Letters } from "./traits";
import { toScreen } from "./view";

const HALO = "rgba(0, 0, 0, 0.7)";
export type Context = CanvasRenderingContext2D;

export function onScreen(scene: Scene, path: Path2D): Path2D {
  const { scaleX, scaleY, offsetX, offsetY } = scene.view;
  const moved = new Path2D();
  moved.addPath(path, { a: scaleX, b: 0, c: 0, d: scaleY, e: offsetX, f: offsetY });
  return moved;
}

export function strokeTwice(context: Context, path: Path2D, color: string, width = 1.75): void {
  context.lineJoin = "round";
  context.lineCap = "round";
  context.strokeStyle = HALO;
  context.lineWidth = width + 2;
  context.stroke(path);
  context.strokeStyle = color;
  context.lineWidth = width;
  context.stroke(path);
}

export function dot(context: Context, at: Point, radius: number): void {
  context.beginPath();
  context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
  context.fillStyle = "#ffffff";
  context.strokeStyle = HALO;
  context.lineWidth = 1.5;
  context.fill();
  context.stroke();
}

export function paintCrosshair(context: Context, scene: Scene, at: Point): void {
  const { x, y } = toScreen(scene.view, at);
  const gap = 6;
  const path = new Path2D();
  for (const [from, to] of [
    [0, x - gap],
    [x + gap, scene.frame.stageWidth],
  ] as const) {
    path.moveTo(from, y);
    path.lineTo(to, y);
  }
  for (const [from, to] of [
    [0, y - gap],
    [y + gap, scene.frame.stageHeight],
  ] as const) {
    path.moveTo(x, from);
    path.lineTo(x, to);
  }
  strokeTwice(context, path, "rgba(255, 255, 255, 0.9)", 1);
}

export function paintRing(context: Context, scene: Scene, ring: { at: Point; size: number }): void {
  const { x, y } = toScreen(scene.view, ring.at);
  const path = new Path2D();
  const radius = Math.max(ring.size, 1) / 2;
  path.ellipse(x, y, radius * scene.view.scaleX, radius * scene.view.scaleY, 0, 0, 2 * Math.PI);
  strokeTwice(context, path, "#ffffff", 1);
}

export function paintScaleBar(context: Context, scene: Scene, millimetres: number): void {
  const perPixel = millimetres / scene.view.scaleX;
  const length = scaleBarLength(Math.min(120, scene.frame.stageWidth / 4) * perPixel);
  const width = length / perPixel;
  const x = 12;
  const y = scene.frame.stageHeight - 12;
  const path = new Path2D();
  path.moveTo(x, y - 4);
  path.lineTo(x, y);
  path.lineTo(x + width, y);
  path.lineTo(x + width, y - 4);
  strokeTwice(context, path, "#ffffff", 1.5);
  writeText(context, lengthText(length), x + 4, y - 11, "left");
}

export function paintLetters(context: Context, scene: Scene, letters: Letters): void {
  const { stageWidth, stageHeight } = scene.frame;
  const [top, bottom, left, right] = letters;
  writeText(context, top, stageWidth / 2, 12, "center");
  writeText(context, bottom, stageWidth / 2, stageHeight - 12, "center");
  writeText(context, left, 8, stageHeight / 2, "left");
  writeText(context, right, stageWidth - 8, stageHeight / 2, "right");
}

function writeText(
  context: Context,
  text: string,
  x: number,
  y: number,
  align: CanvasTextAlign,
): void {
  context.font = "600 13px system-ui, sans-serif";
  context.textAlign = align;
  context.textBaseline = "middle";
  context.lineWidth = 3.5;
  context.strokeStyle = HALO;
  context.fillStyle = "#ffffff";
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}
