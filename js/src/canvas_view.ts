import { Children } from "./children";
import { compose } from "./compose";
import { uniqueId } from "./dom";
import { Editor, type Keys, NO_KEYS, type Settings } from "./editor";
import { type Box, clamp, type Point } from "./geometry";
import type { Mask } from "./mask";
import { Navigator } from "./navigator";
import type { RegionStore } from "./region_store";
import { RegionSync } from "./region_sync";
import { Sources } from "./sources";
import { Stage } from "./stage";
import type { Model, Traits } from "./traits";
import { type Frame, toImage } from "./view";

/** Python hears of the pointer this often, seldom while it draws; what is linked here, at every move. */
const CURSOR_MS = 100;
const DRAWING_CURSOR_MS = 500;
/** Screen pixels within which a handle or a corner is hit. */
const REACH = 4;

/** One view of a canvas: what is drawn on its stage, and what pointer and keyboard do to it. */
export class CanvasView {
  readonly sources: Sources;
  readonly store: RegionStore;
  readonly editor: Editor;
  readonly children: Children;
  readonly navigator: Navigator;
  readonly stage: Stage;
  /** Called after every frame; `stale` unless the pointer was all that moved. */
  painted: (stale: boolean) => void = () => {};
  /** Where the pointer is on the stage, CSS pixels. */
  pointer: Point | null = null;
  /** Where the keyboard's cursor is, image pixels. */
  keyboard: Point | null = null;
  readonly id = uniqueId("canvas");
  private boxed: { mask: Mask; box: Box | null } | null = null;
  private acknowledged = 0;
  private lastCursor = 0;
  private stale = true;

  constructor(
    readonly model: Model,
    canvas: HTMLCanvasElement,
    signal: AbortSignal,
  ) {
    this.sources = new Sources(model, () => this.invalidate());
    this.stage = new Stage(canvas, () => compose(this), this.afterPaint, signal);
    model.on("change:cursor", this.repaint);
    this.navigator = new Navigator(model, this.sources, () => this.frame, this.invalidate);
    const sync = new RegionSync(model, () => {
      this.editor.cancel();
      this.invalidate();
    });
    this.store = sync.store;
    this.editor = new Editor(this.store, () => this.settings());
    this.children = new Children(model, this.invalidate, signal);
    model.on("change:effect", () => {
      if (document.hidden) this.acknowledge();
    });
  }

  /** Asks for a frame after something changed that tools and panels may show. */
  invalidate = (): void => {
    this.stale = true;
    this.repaint();
  };

  /** Asks for a frame after the pointer moved. */
  repaint = (): void => this.stage.invalidate();

  /** Height and width of the picture, pixels. */
  get size(): [number, number] {
    const { picture } = this.sources;
    return picture ? [picture.height, picture.width] : [1, 1];
  }

  get aspect(): number {
    const spacing = this.model.get("spacing");
    return spacing ? spacing[0] / spacing[1] : 1;
  }

  get frame(): Frame {
    const [height, width] = this.size;
    const { width: stageWidth, height: stageHeight } = this.stage;
    return { stageWidth, stageHeight, width, height, aspect: this.aspect };
  }

  /** Whether a drag with the chosen tool moves the picture or its window, and draws nothing. */
  get drags(): boolean {
    const tool = this.model.get("tool");
    return tool === "inspect" || tool === "window";
  }

  imagePoint(at: Point): Point {
    return toImage(this.navigator.view, at);
  }

  /** The point that the pointer or the keyboard is at, image pixels. */
  get at(): Point | null {
    return this.keyboard ?? (this.pointer && this.imagePoint(this.pointer));
  }

  /** The pixel there: row and column, null outside the picture. */
  get pointed(): [number, number] | null {
    const { at } = this;
    if (!at) return null;
    const [height, width] = this.size;
    const row = Math.floor(at.y);
    const column = Math.floor(at.x);
    return row < 0 || column < 0 || row >= height || column >= width ? null : [row, column];
  }

  /** The bounding box of the region, null when it is empty. */
  get regionBox(): Box | null {
    const { mask } = this.store;
    if (this.boxed?.mask !== mask) this.boxed = { mask, box: mask.box() };
    return this.boxed.box;
  }

  /** Makes a box, or the ellipse in it, the region, cut to the picture. */
  drawBox(box: Box): void {
    const { mask } = this.store;
    const top = clamp(Math.round(box.top), 0, mask.height - 1);
    const left = clamp(Math.round(box.left), 0, mask.width - 1);
    const height = clamp(Math.round(box.height), 1, mask.height - top);
    const width = clamp(Math.round(box.width), 1, mask.width - left);
    const kind = this.model.get("tool") === "ellipse" ? "ellipse" : "box";
    const drawn = { shape: { kind, box: { top, left, height, width } } } as const;
    this.store.draw(drawn, "replace");
    this.invalidate();
  }

  set<K extends keyof Traits>(name: K, value: Traits[K]): void {
    this.model.set(name, value);
    this.model.save_changes();
    this.invalidate();
  }

  pointAt(at: Point | null): void {
    this.pointer = at;
    this.keyboard = null;
    if (at) this.stage.canvas.style.cursor = this.editor.cursorAt(this.imagePoint(at));
    this.shareCursor(!at);
    this.repaint();
  }

  /** A click with a tool that does not draw selects the patch under it. */
  click(at: Point): void {
    if (this.model.get("tool") === "inspect") this.selectPatch(this.imagePoint(at));
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
    const at = this.pointer && this.imagePoint(this.pointer);
    if (this.editor.active) this.editor.close();
    else if (this.model.get("tool") === "window") this.set("window", null);
    else if (this.drags) this.navigator.fit();
    else if (at) this.editor.addCorner(at);
    this.invalidate();
  }

  drag(dx: number, dy: number): void {
    if (this.model.get("tool") === "window") this.navigator.dragWindow(dx, dy);
    else this.navigator.pan(dx, dy);
  }

  /** Moves the keyboard's cursor by pixels; while something is drawn, it draws. */
  moveCursor(dx: number, dy: number, keys: Keys = NO_KEYS): void {
    const [height, width] = this.size;
    const at = this.at ?? { x: width / 2, y: height / 2 };
    this.keyboard = {
      x: clamp(Math.floor(at.x) + 0.5 + dx, 0.5, width - 0.5),
      y: clamp(Math.floor(at.y) + 0.5 + dy, 0.5, height - 0.5),
    };
    this.editor.move([this.keyboard], keys);
    this.shareCursor(true);
    this.repaint();
  }

  /** Tells Python that a map was seen, once per map; a newer one stands for those before it. */
  acknowledge(): void {
    const id = this.model.get("effect")?.id ?? 0;
    if (id === this.acknowledged) return;
    this.acknowledged = id;
    this.model.send({ type: "ack", id });
  }

  /** Shows another slice of a volume, as far as there is one. */
  moveSlice(step: number): void {
    const { model } = this;
    const count = model.get("count");
    if (count === undefined) return;
    this.editor.cancel();
    this.set("index", clamp((model.get("index") ?? 0) + step, 0, count - 1));
  }

  private afterPaint = (): void => {
    this.acknowledge();
    this.sources.askAhead();
    const { stale } = this;
    this.stale = false;
    this.painted(stale);
  };

  private shareCursor(now: boolean): void {
    this.model.set("cursor", this.pointed);
    const time = performance.now();
    const pause = this.editor.active ? DRAWING_CURSOR_MS : CURSOR_MS;
    if (!now && time - this.lastCursor < pause) return;
    this.lastCursor = time;
    this.model.save_changes();
  }

  private settings(): Settings {
    const { model, sources } = this;
    const shown = (["prediction", "truth"] as const).filter((name) => model.get(`show_${name}`));
    return {
      tool: model.get("tool"),
      mode: model.get("mode"),
      brushSize: model.get("brush_size"),
      snap: model.get("snap"),
      live: model.get("live"),
      patchSize: sources.patchSize,
      targetPatches: model.get("target_patches"),
      reach: REACH / Math.max(this.navigator.view.scaleX, 1e-9),
      pickable: shown.map((name) => sources.mask(name)).filter((mask) => mask !== null),
    };
  }
}
