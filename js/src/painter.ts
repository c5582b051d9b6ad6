import type { Point } from "./geometry";
import {
  type Context,
  dot,
  onScreen,
  paintCrosshair,
  paintLetters,
  paintRing,
  paintScaleBar,
  strokeTwice,
} from "./marks";
import { type Scene, stretched, type Tinted, tintedDraft, tintOf } from "./scene";
import { handles, type Shape } from "./shape";
import { Sheet } from "./sheet";
import { toScreen } from "./view";

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

  /** Picture, effects, layers, grid and regions: what stays while the pointer moves. */
  private under(size: HTMLCanvasElement, scene: Scene): HTMLCanvasElement {
    const { ratio, effect, opacity, grid, patchSize, smooth } = scene;
    const { scaleX, scaleY, offsetX, offsetY } = scene.view;
    const place = [scaleX, scaleY, offsetX, offsetY];
    const seen = [scene.picture, smooth, ...place];
    const drawn = [scene.layersDrawn, ...scene.layers.flatMap((l) => [l.canvas, l.opacity])];
    const regions = [scene.region, scene.regionColor, scene.regionOpacity, scene.contourOpacity];
    const others = scene.others.flatMap(({ edge, color }) => [edge, color]);
    const shown = [effect, opacity, grid, patchSize, ...regions, ...others];
    const parts = [...seen, ...drawn, ...shown];
    return this.below.drawn(size, ratio, parts, (context) => {
      const picture = this.picture.drawn(size, ratio, seen, (on) => paintPicture(on, scene));
      blit(context, picture, ratio);
      if (effect) paintEffect(context, scene, effect);
      const layers = this.layers.drawn(size, ratio, [...drawn, ...place], (on) =>
        paintLayers(on, scene),
      );
      blit(context, layers, ratio);
      if (grid) paintGrid(context, scene);
      paintRegions(context, scene);
    });
  }
}

/** Copies a sheet pixel by pixel. */
function blit(context: Context, sheet: HTMLCanvasElement, ratio: number): void {
  context.drawImage(sheet, 0, 0, sheet.width / ratio, sheet.height / ratio);
}

function paintRegions(context: Context, scene: Scene): void {
  context.globalAlpha = scene.contourOpacity;
  for (const { edge, color } of scene.others) strokeTwice(context, onScreen(scene, edge), color);
  context.globalAlpha = 1;
  paintRegion(context, scene, scene.region, scene.regionOpacity);
}

function paintOver(context: Context, scene: Scene): void {
  if (scene.offer) paintOffer(context, scene, scene.offer);
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

function paintFill(context: Context, scene: Scene, { box, fill }: Tinted): void {
  inImage(context, scene, () => {
    context.imageSmoothingEnabled = false;
    context.drawImage(fill, box.left, box.top, box.width, box.height);
  });
}

function paintRegion(context: Context, scene: Scene, region: Tinted | null, opacity: number): void {
  if (!region) return;
  context.save();
  context.globalAlpha = opacity;
  paintFill(context, scene, region);
  strokeTwice(context, onScreen(scene, region.edge), scene.regionColor);
  context.restore();
}

/** Dashed, and without a halo: it is not drawn yet. */
function paintOffer(context: Context, scene: Scene, offer: NonNullable<Scene["offer"]>): void {
  const { tint, shape } = offer;
  const path = tint?.edge ?? (shape && pathOf(shape));
  if (!path) return;
  const moved = onScreen(scene, path);
  context.save();
  context.strokeStyle = "#ffffff";
  context.lineWidth = 1.5;
  context.setLineDash([4, 3]);
  if (shape) {
    context.fillStyle = "rgba(255, 255, 255, 0.12)";
    context.fill(moved);
  }
  context.stroke(moved);
  context.restore();
  if (tint) paintFill(context, scene, tint);
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
  const { shape, open, mask, box } = scene.draft!;
  if (mask) paintRegion(context, scene, tintedDraft(mask, box), 1);
  if (shape?.kind === "stamp") {
    const tint = tintOf(shape.mask);
    if (tint) paintRegion(context, scene, stretched(tint, shape.box), 1);
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
