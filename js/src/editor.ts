import { clamp, type Point } from "./geometry";
import { begin, type Draft, editGesture, type Gesture, type Surface } from "./gestures";
import type { Mask, Mode } from "./mask";
import { componentAt, fillHoles, grown } from "./morphology";
import type { RegionStore } from "./region_store";
import { CURSORS, handleAt, inside } from "./shape";
import type { Tool } from "./traits";

export interface Keys {
  readonly shift: boolean;
  readonly alt: boolean;
  readonly square: boolean;
}

export const NO_KEYS: Keys = { shift: false, alt: false, square: false };

/** What the editor asks of the view it belongs to. */
export interface Settings {
  readonly tool: Tool;
  readonly mode: Mode;
  readonly brushSize: number;
  readonly snap: boolean;
  readonly live: boolean;
  readonly patchSize: number;
  /** Image pixels under a few screen pixels. */
  readonly reach: number;
  /** Masks that can be picked from, the first one that is set under the pointer wins. */
  readonly pickable: readonly Mask[];
}

/** Turns presses, moves and releases into regions, for mouse, pen, touch and keyboard alike. */
export class Editor {
  private gesture: Gesture | null = null;
  private base: Mask | null = null;
  private mode: Mode = "replace";

  constructor(
    readonly store: RegionStore,
    private readonly settings: () => Settings,
  ) {}

  get active(): boolean {
    return this.gesture !== null;
  }

  get draft(): Draft | null {
    return this.gesture?.draft ?? null;
  }

  /** The shape whose handles are shown. */
  get shape() {
    const { live } = this.store;
    const { tool } = this.settings();
    if (!live) return null;
    return live.shape.kind === tool || (live.shape.kind === "stamp" && tool === "move")
      ? live.shape
      : null;
  }

  press(at: Point, keys: Keys): void {
    if (this.gesture) return;
    const settings = this.settings();
    if (settings.tool === "pick") {
      this.pick(at, this.modeFor(keys));
      return;
    }
    if (settings.tool === "move" && !this.shape) this.store.lift();
    const mode = this.modeFor(keys);
    if (this.edit(at, settings.reach, mode)) return;
    const surface = this.surface(settings);
    this.mode = mode;
    this.base = this.store.mask;
    this.gesture = begin(settings.tool, at, surface);
    if (this.gesture) this.store.live = null;
  }

  move(points: readonly Point[], keys: Keys): void {
    for (const point of points) this.gesture?.move(point, keys.square);
    if (this.settings().live) this.preview();
  }

  release(at: Point): void {
    if (this.gesture?.release(at)) this.finish();
  }

  close(): void {
    if (this.gesture?.close()) this.finish();
  }

  /** Drops what is being drawn; without a drawing, lets go of the shape. */
  cancel(): void {
    this.gesture = null;
    this.store.live = null;
    this.store.withdraw();
  }

  fillHoles(): void {
    this.store.commit(fillHoles(this.store.mask));
  }

  grow(bigger: boolean): void {
    this.store.commit(grown(this.store.mask, bigger));
  }

  /** The CSS cursor over a point. */
  cursorAt(at: Point): string {
    const { tool, reach, mode } = this.settings();
    const { shape } = this;
    if (shape) {
      const handle = handleAt(shape, at, 2 * reach);
      if (handle >= 0) return "points" in shape ? "pointer" : CURSORS[handle]!;
      if (mode === "replace" && inside(shape, at)) return "move";
    }
    if (tool === "inspect") return "default";
    if (tool === "brush" || tool === "eraser") return "none";
    return tool === "move" ? "move" : tool === "window" ? "ns-resize" : "crosshair";
  }

  /** Takes hold of the shape: by a handle, or by its inside unless that is to be drawn on. */
  private edit(at: Point, reach: number, mode: Mode): boolean {
    const { shape } = this;
    const { live } = this.store;
    if (!shape || !live) return false;
    const handle = handleAt(shape, at, 2 * reach);
    if (handle < 0 && (mode !== "replace" || !inside(shape, at))) return false;
    this.base = live.base;
    this.mode = live.mode;
    this.gesture = editGesture(shape, handle, at);
    return true;
  }

  private surface(settings: Settings): Surface {
    const { height, width } = this.store.mask;
    return {
      height,
      width,
      region: this.store.mask,
      brushSize: settings.brushSize,
      cell: settings.snap ? settings.patchSize : 0,
      reach: settings.reach,
    };
  }

  private modeFor(keys: Keys): Mode {
    if (keys.shift && keys.alt) return "intersect";
    if (keys.shift) return "add";
    return keys.alt ? "subtract" : this.settings().mode;
  }

  private pick(at: Point, mode: Mode): void {
    const { height, width } = this.store.mask;
    const row = clamp(Math.floor(at.y), 0, height - 1);
    const column = clamp(Math.floor(at.x), 0, width - 1);
    for (const mask of this.settings().pickable) {
      const component = componentAt(mask, row, column);
      if (!component) continue;
      this.store.drawMask(component, mode);
      return;
    }
  }

  private preview(): void {
    const drawn = this.gesture?.result();
    if (drawn && this.base) this.store.preview(drawn, this.mode, this.base);
  }

  private finish(): void {
    const drawn = this.gesture?.result();
    this.gesture = null;
    if (drawn && this.base) this.store.draw(drawn, this.mode, this.base);
    else this.store.withdraw();
  }
}
