import { Children } from "./children";
import type { Keys } from "./editor";
import { Editor, NO_KEYS, type Settings } from "./editor";
import { clamp, type Point } from "./geometry";
import type { Mask } from "./mask";
import { paint } from "./painter";
import { RegionStore } from "./region_store";
import { type Layer, type Scene, type Tinted, tinted } from "./scene";
import { Sources } from "./sources";
import type { Model, Traits } from "./traits";
import {
  FIT,
  type Frame,
  keepInside,
  panBy,
  toImage,
  type View,
  viewOf,
  type Zoom,
  zoomAt,
} from "./view";
import { readMask, writeMask } from "./wire";

const PREVIEW_MS = 120;
const CURSOR_MS = 40;

/** One view of a canvas: its stage, what is drawn on it and what the pointer does to it. */
export class CanvasView {
  readonly sources: Sources;
  readonly store: RegionStore;
  readonly editor: Editor;
  readonly children: Children;
  /** Called after every frame, for the read-out and the tools. */
  painted: () => void = () => {};
  private readonly context: CanvasRenderingContext2D;
  private stageSize = { width: 0, height: 0 };
  private requested = 0;
  private acknowledged = -1;
  private sent: Traits["region"] = null;
  private lastPreview = 0;
  private lastCursor = 0;
  private tintedMask: { mask: Mask; tinted: Tinted } | null = null;
  /** Where the pointer is on the stage, CSS pixels. */
  private pointer: Point | null = null;
  /** Where the keyboard's cursor is, image pixels. */
  keyboard: Point | null = null;

  constructor(
    readonly model: Model,
    readonly canvas: HTMLCanvasElement,
    private readonly signal: AbortSignal,
  ) {
    this.context = canvas.getContext("2d")!;
    this.sources = new Sources(model);
    const [height, width] = this.size;
    this.store = new RegionStore(height, width, (mask, final) => this.publish(mask, final));
    this.editor = new Editor(this.store, () => this.settings());
    this.children = new Children(model, () => this.invalidate(), signal);
    this.adopt();
  }

  /** Height and width of the picture, pixels. */
  get size(): [number, number] {
    const picture = this.sources.picture;
    return picture ? [picture.height, picture.width] : [1, 1];
  }

  get aspect(): number {
    const spacing = this.model.get("spacing");
    return spacing ? spacing[0] / spacing[1] : 1;
  }

  get frame(): Frame {
    const [height, width] = this.size;
    const { width: stageWidth, height: stageHeight } = this.stageSize;
    return { stageWidth, stageHeight, width, height, aspect: this.aspect };
  }

  get view(): View {
    return viewOf(this.frame, keepInside(this.frame, this.model.get("view") ?? FIT));
  }

  /** Whether a drag with the chosen tool moves the picture or its window, and draws nothing. */
  get drags(): boolean {
    const tool = this.model.get("tool");
    return tool === "inspect" || tool === "window";
  }

  imagePoint(at: Point): Point {
    return toImage(this.view, at);
  }

  /** The pixel that the read-out tells about: row and column, null outside the picture. */
  get pointed(): [number, number] | null {
    const at = this.keyboard ?? (this.pointer && this.imagePoint(this.pointer));
    if (!at) return null;
    const [height, width] = this.size;
    const row = Math.floor(at.y);
    const column = Math.floor(at.x);
    return row < 0 || column < 0 || row >= height || column >= width ? null : [row, column];
  }

  set<K extends keyof Traits>(name: K, value: Traits[K]): void {
    this.model.set(name, value);
    this.model.save_changes();
  }

  /** Takes over the region of the model, unless this view has just sent it. */
  adopt(): void {
    const wire = this.model.get("region");
    if (!wire || wire === this.sent) return;
    this.editor.cancel();
    this.store.adopt(readMask(wire));
    this.invalidate();
  }

  resize(width: number, height: number): void {
    this.stageSize = { width, height };
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.height = `${height}px`;
    this.paint();
  }

  invalidate(): void {
    if (this.requested || this.signal.aborted) return;
    this.requested = requestAnimationFrame(() => this.paint());
  }

  pointAt(at: Point | null): void {
    this.pointer = at;
    this.keyboard = null;
    if (at) this.canvas.style.cursor = this.editor.cursorAt(this.imagePoint(at));
    const now = performance.now();
    if (now - this.lastCursor > CURSOR_MS || !at) {
      this.lastCursor = now;
      this.model.set("cursor", this.pointed);
      this.model.save_changes();
    }
    this.invalidate();
  }

  /** A click with a tool that does not draw selects the patch under it. */
  click(at: Point): void {
    if (this.model.get("tool") !== "inspect") return;
    this.keyboard = null;
    this.selectPatch(this.imagePoint(at));
  }

  selectPatch(at: Point): void {
    const { effect, patchSize } = this.sources;
    const [height, width] = this.size;
    const outside = at.x < 0 || at.y < 0 || at.x >= width || at.y >= height;
    const row = Math.floor(at.y / patchSize);
    const column = Math.floor(at.x / patchSize);
    const value = effect?.effect[row * effect.columns + column];
    const found = !outside && effect && !Number.isNaN(value);
    this.set("patch", found ? [row, column] : null);
  }

  doubleClick(): void {
    if (this.editor.active) this.editor.close();
    else if (this.drags) this.set("view", [...FIT]);
    this.invalidate();
  }

  drag(dx: number, dy: number): void {
    if (this.model.get("tool") !== "window") {
      this.pan(dx, dy);
      return;
    }
    const { picture, channel } = this.sources;
    if (!picture) return;
    const range = Math.max(...picture.hi) - Math.min(...picture.lo) || 1;
    const [lo, hi] = this.sources.window;
    const step = range / 300;
    const width = Math.max(hi - lo + dx * step * 2, range / 1000);
    const level = (lo + hi) / 2 - dy * step;
    void channel;
    this.sources.draggedWindow = [level - width / 2, level + width / 2];
    this.invalidate();
  }

  dragEnd(): void {
    const dragged = this.sources.draggedWindow;
    if (!dragged) return;
    this.sources.draggedWindow = null;
    this.set("window", [dragged[0], dragged[1]]);
  }

  pan(dx: number, dy: number): void {
    this.set("view", [...panBy(this.frame, this.model.get("view") ?? FIT, dx, dy)]);
    this.invalidate();
  }

  zoom(at: Point, factor: number): void {
    const zoom: Zoom = this.model.get("view") ?? FIT;
    this.set("view", [...zoomAt(this.frame, zoom, at, factor)]);
    this.invalidate();
  }

  /** Moves the keyboard's cursor; while something is drawn, it draws. */
  moveCursor(dx: number, dy: number, keys: Keys = NO_KEYS): void {
    const [height, width] = this.size;
    const at = this.keyboard ?? { x: width / 2, y: height / 2 };
    const from = { x: Math.floor(at.x) + 0.5, y: Math.floor(at.y) + 0.5 };
    this.keyboard = {
      x: clamp(from.x + dx, 0.5, width - 0.5),
      y: clamp(from.y + dy, 0.5, height - 0.5),
    };
    this.editor.move([this.keyboard], keys);
    this.model.set("cursor", this.pointed);
    this.model.save_changes();
    this.invalidate();
  }

  private settings(): Settings {
    const get = this.model.get.bind(this.model);
    const masks = [this.sources.mask("prediction"), this.sources.mask("truth")];
    return {
      tool: get("tool"),
      mode: get("mode"),
      brushSize: get("brush_size"),
      snap: get("snap"),
      live: get("live"),
      patchSize: this.sources.patchSize,
      reach: 4 / Math.max(this.view.scaleX, 1e-9),
      pickable: masks.filter((mask) => mask !== null),
    };
  }

  private publish(mask: Mask, final: boolean): void {
    const now = performance.now();
    if (!final && now - this.lastPreview < PREVIEW_MS) return;
    this.lastPreview = now;
    this.sent = writeMask(mask);
    this.set("region", this.sent);
  }

  private paint(): void {
    cancelAnimationFrame(this.requested);
    this.requested = 0;
    const { width, height } = this.stageSize;
    if (width > 0 && height > 0) paint(this.context, this.scene());
    this.acknowledge();
    this.painted();
  }

  /** Tells Python that a map was seen, once per map; newer ones stand for the older ones. */
  acknowledge(): void {
    const wire = this.model.get("effect");
    if (!wire || wire.id === this.acknowledged) return;
    this.acknowledged = wire.id;
    this.model.send({ type: "ack", id: wire.id });
  }

  private layers(): Layer[] {
    const get = this.model.get.bind(this.model);
    const contour = get("contour_opacity");
    const opacities: Record<string, number> = {
      prediction: get("show_prediction") ? contour : 0,
      truth: get("show_truth") ? contour : 0,
      notes: get("show_notes") ? 1 : 0,
    };
    return [...this.children.canvases]
      .map(([name, canvas]) => ({ canvas, opacity: opacities[name] ?? 1 }))
      .filter((layer) => layer.opacity > 0 && layer.canvas.width > 0);
  }

  private regionTinted(): Tinted | null {
    const { mask } = this.store;
    if (!this.model.get("show_region")) return null;
    if (this.tintedMask?.mask !== mask) this.tintedMask = { mask, tinted: tinted(mask) };
    return this.tintedMask.tinted;
  }

  private scene(): Scene {
    const get = this.model.get.bind(this.model);
    const { draft } = this.editor;
    const tool = get("tool");
    const brush = tool === "brush" || tool === "eraser";
    const at = this.keyboard ?? (this.pointer && this.imagePoint(this.pointer));
    const cursor = get("cursor");
    const linked = !this.pointer && cursor ? { x: cursor[1] + 0.5, y: cursor[0] + 0.5 } : null;
    return {
      frame: this.frame,
      view: this.view,
      ratio: window.devicePixelRatio || 1,
      smooth: get("smooth"),
      picture: this.sources.pictureCanvas,
      effect: this.sources.effectCanvas,
      opacity: get("opacity"),
      layers: this.layers(),
      region: draft?.mask ? null : this.regionTinted(),
      patchSize: this.sources.patchSize,
      grid: get("show_grid"),
      patch: this.sources.effect ? get("patch") : null,
      draft,
      shape: this.editor.shape,
      crosshair: this.keyboard ?? linked,
      ring: brush && at ? { at, size: get("brush_size") } : null,
      millimetres: get("spacing")?.[1] ?? null,
    };
  }
}
