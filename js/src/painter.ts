import { lengthText, scaleBarLength } from "./format";
import type { Point } from "./geometry";
import { type Scene, type Tinted, tintedDraft } from "./scene";
import { handles, rasterShape, type Shape } from "./shape";
import { Sheet } from "./sheet";
import type { Letters } from "./traits";
import { toScreen } from "./view";

const HALO = "rgba(0, 0, 0, 0.7)";
type Context = CanvasRenderingContext2D;

/** Scales pictures only when they change, and paints everything else over them in every frame. */
export class Painter {
  private readonly picture = new Sheet();
  private readonly layers = new Sheet();
  private readonly below = new Sheet();

  paint(context: Context, scene: Scene): void {
    const { canvas } = context;
    const below = this.under(canvas, scene);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(below, 0, 0);
    context.scale(scene.ratio, scene.ratio);
    paintOver(context, scene);
  }

  /** Picture, effects, layers and grid. */
  private under(size: HTMLCanvasElement, scene: Scene): HTMLCanvasElement {
    const { ratio, effect, opacity, grid, patchSize, smooth } = scene;
    const { scaleX, scaleY, offsetX, offsetY } = scene.view;
    const place = [scaleX, scaleY, offsetX, offsetY];
    const seen = [scene.picture, smooth, ...place];
    const drawn = [scene.layersDrawn, ...scene.layers.flatMap((l) => [l.canvas, l.opacity])];
    const parts = [...seen, ...drawn, effect, opacity, grid, patchSize];
    return this.below.drawn(size, ratio, parts, (context) => {
      const picture = this.picture.drawn(size, ratio, seen, (on) => paintPicture(on, scene));
      blit(context, picture, ratio);
      if (effect) paintEffect(context, scene, effect);
      const layers = this.layers.drawn(size, ratio, [...drawn, ...place], (on) =>
        paintLayers(on, scene),
      );
      blit(context, layers, ratio);
      if (grid) paintGrid(context, scene);
    });
  }
}

/** Copies a sheet pixel by pixel. */
function blit(context: Context, sheet: HTMLCanvasElement, ratio: number): void {
  context.drawImage(sheet, 0, 0, sheet.width / ratio, sheet.height / ratio);
}

function paintOver(context: Context, scene: Scene): void {
  for (const { edge, color } of scene.others) strokeTwice(context, onScreen(scene, edge), color);
  if (scene.region) paintRegion(context, scene, scene.region, scene.draft?.shape ? 0.45 : 1);
  if (scene.patch) paintPatch(context, scene, scene.patch);
  if (scene.draft) paintDraft(context, scene);
  else if (scene.shape) paintHandles(context, scene, scene.shape);
  if (scene.crosshair) paintCrosshair(context, scene, scene.crosshair);
  if (scene.ring) paintRing(context, scene, scene.ring);
  if (scene.millimetres) paintScaleBar(context, scene, scene.millimetres);
  if (scene.letters) paintLetters(context, scene, scene.letters);
}

function inImage(context: Context, scene: Scene, draw: () => void): void {
  const { scaleX, scaleY, offsetX, offsetY } = scene.view;
  context.save();
  context.translate(offsetX, offsetY);
  context.scale(scaleX, scaleY);
  context.beginPath();
  context.rect(0, 0, scene.frame.width, scene.frame.height);
  context.clip();
  draw();
  context.restore();
}

function paintPicture(context: Context, scene: Scene): void {
  const { picture, frame, smooth, view, ratio } = scene;
  if (!picture) return;
  const reduced = Math.min(view.scaleX, view.scaleY) * ratio < 1;
  inImage(context, scene, () => {
    context.imageSmoothingEnabled = smooth;
    context.imageSmoothingQuality = reduced ? "high" : "low";
    context.drawImage(picture, 0, 0, frame.width, frame.height);
  });
}

function paintEffect(context: Context, scene: Scene, effect: HTMLCanvasElement): void {
  const size = scene.patchSize;
  inImage(context, scene, () => {
    context.imageSmoothingEnabled = false;
    context.globalAlpha = scene.opacity;
    context.drawImage(effect, 0, 0, effect.width * size, effect.height * size);
  });
}

function paintLayers(context: Context, scene: Scene): void {
  inImage(context, scene, () => {
    context.imageSmoothingQuality = "high";
    for (const layer of scene.layers) {
      context.globalAlpha = layer.opacity;
      context.drawImage(layer.canvas, 0, 0, scene.frame.width, scene.frame.height);
    }
  });
}

function paintGrid(context: Context, scene: Scene): void {
  const { view, frame, patchSize } = scene;
  if (patchSize * Math.min(view.scaleX, view.scaleY) < 3) return;
  const path = new Path2D();
  for (let x = patchSize; x < frame.width; x += patchSize) {
    path.moveTo(x, 0);
    path.lineTo(x, frame.height);
  }
  for (let y = patchSize; y < frame.height; y += patchSize) {
    path.moveTo(0, y);
    path.lineTo(frame.width, y);
  }
  context.strokeStyle = "rgba(255, 255, 255, 0.28)";
  context.lineWidth = 1;
  context.stroke(onScreen(scene, path));
}

function onScreen(scene: Scene, path: Path2D): Path2D {
  const { scaleX, scaleY, offsetX, offsetY } = scene.view;
  const moved = new Path2D();
  moved.addPath(path, { a: scaleX, b: 0, c: 0, d: scaleY, e: offsetX, f: offsetY });
  return moved;
}

function strokeTwice(context: Context, path: Path2D, color: string, width = 1.75): void {
  context.lineJoin = "round";
  context.lineCap = "round";
  context.strokeStyle = HALO;
  context.lineWidth = width + 2;
  context.stroke(path);
  context.strokeStyle = color;
  context.lineWidth = width;
  context.stroke(path);
}

function paintRegion(context: Context, scene: Scene, region: Tinted | null, opacity: number): void {
  if (!region) return;
  const { top, left, height, width } = region.box;
  context.save();
  context.globalAlpha = opacity;
  inImage(context, scene, () => {
    context.imageSmoothingEnabled = false;
    context.drawImage(region.fill, left, top, width, height);
  });
  strokeTwice(context, onScreen(scene, region.edge), scene.regionColor);
  context.restore();
}

function paintPatch(context: Context, scene: Scene, patch: readonly [number, number]): void {
  const size = scene.patchSize;
  const left = patch[1] * size;
  const top = patch[0] * size;
  const path = new Path2D();
  const width = Math.min(size, scene.frame.width - left);
  path.rect(left, top, width, Math.min(size, scene.frame.height - top));
  strokeTwice(context, onScreen(scene, path), "#ffffff", 2);
}

function paintDraft(context: Context, scene: Scene): void {
  const { shape, open, mask } = scene.draft!;
  if (mask) paintRegion(context, scene, tintedDraft(mask), 1);
  if (shape?.kind === "stamp") {
    const stamp = rasterShape(shape, scene.frame.height, scene.frame.width);
    paintRegion(context, scene, tintedDraft(stamp), 1);
  } else if (shape) {
    paintPath(context, scene, pathOf(shape));
  }
  if (open) {
    const path = polyline(open);
    paintPath(context, scene, path);
    for (const point of open.length < 40 ? open : []) dot(context, toScreen(scene.view, point), 3);
  }
}

function paintPath(context: Context, scene: Scene, path: Path2D): void {
  const moved = onScreen(scene, path);
  context.fillStyle = "rgba(255, 214, 10, 0.16)";
  context.fill(moved, "evenodd");
  strokeTwice(context, moved, scene.regionColor);
}

function polyline(points: readonly Point[]): Path2D {
  const path = new Path2D();
  for (const point of points) path.lineTo(point.x, point.y);
  return path;
}

function pathOf(shape: Shape): Path2D {
  if ("points" in shape) {
    const path = polyline(shape.points);
    path.closePath();
    return path;
  }
  const { top, left, height, width } = shape.box;
  const path = new Path2D();
  if (shape.kind === "ellipse") {
    path.ellipse(left + width / 2, top + height / 2, width / 2, height / 2, 0, 0, 2 * Math.PI);
  } else {
    path.rect(left, top, width, height);
  }
  return path;
}

function paintHandles(context: Context, scene: Scene, shape: Shape): void {
  if (shape.kind === "stamp") strokeTwice(context, onScreen(scene, pathOf(shape)), "#ffffff", 1);
  for (const handle of handles(shape)) dot(context, toScreen(scene.view, handle), 4);
}

function dot(context: Context, at: Point, radius: number): void {
  context.beginPath();
  context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
  context.fillStyle = "#ffffff";
  context.strokeStyle = HALO;
  context.lineWidth = 1.5;
  context.fill();
  context.stroke();
}

function paintCrosshair(context: Context, scene: Scene, at: Point): void {
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

function paintRing(context: Context, scene: Scene, ring: { at: Point; size: number }): void {
  const { x, y } = toScreen(scene.view, ring.at);
  const path = new Path2D();
  const radius = Math.max(ring.size, 1) / 2;
  path.ellipse(x, y, radius * scene.view.scaleX, radius * scene.view.scaleY, 0, 0, 2 * Math.PI);
  strokeTwice(context, path, "#ffffff", 1);
}

function paintScaleBar(context: Context, scene: Scene, millimetres: number): void {
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

function writeText(
  context: Context,
  text: string,
  x: number,
  y: number,
  align: CanvasTextAlign,
): void {
  context.font = "500 12px system-ui, sans-serif";
  context.textAlign = align;
  context.textBaseline = "middle";
  context.lineWidth = 3;
  context.strokeStyle = HALO;
  context.fillStyle = "#ffffff";
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}

function paintLetters(context: Context, scene: Scene, letters: Letters): void {
  const { stageWidth, stageHeight } = scene.frame;
  const [top, bottom, left, right] = letters;
  writeText(context, top, stageWidth / 2, 12, "center");
  writeText(context, bottom, stageWidth / 2, stageHeight - 12, "center");
  writeText(context, left, 8, stageHeight / 2, "left");
  writeText(context, right, stageWidth - 8, stageHeight / 2, "right");
}
