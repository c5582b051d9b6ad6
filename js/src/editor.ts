import type { Point } from "./geometry";
import {
  begin,
  type Draft,
  editGesture,
  type Gesture,
  type Surface,
  squareTarget,
} from "./gestures";
import type { Mask, Mode } from "./mask";
import { componentAt, fillHoles, grown } from "./morphology";
import type { RegionStore } from "./region_store";
import { CURSORS, edgeAt, handleAt, inside, withCorner, withoutCorner } from "./shape";
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
  /** Side of the square that a click takes with `snap`, patches. */
  readonly targetPatches: number;
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
  private found: Mask | null = null;
  private foundIn: Mask | null = null;

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

  press(at: Point, keys: Keys, tool: Tool = this.settings().tool): void {
    if (this.gesture) return;
    const settings = this.settings();
    const mode = this.modeFor(keys);
    if (tool === "pick") {
      const found = this.componentAt(at);
      if (found) this.store.drawMask(found, mode);
      return;
    }
    if (tool === "move" && !this.shape) this.store.lift();
    if (keys.alt && this.removeCorner(at)) return;
    if (this.edit(at, settings.reach, mode)) return;
    this.mode = mode;
    this.base = this.store.mask;
    const erases = tool === "brush" && mode === "subtract";
    this.gesture = begin(erases ? "eraser" : tool, at, this.surface(settings));
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

  /** Takes back a step of what is being drawn, at last all of it; false without a drawing. */
  back(): boolean {
    if (!this.gesture) return false;
    if (!this.gesture.back?.()) this.cancel();
    return true;
  }

  /** Adds a corner to a polygon where its edge is; false elsewhere. */
  addCorner(at: Point): boolean {
    const { shape } = this;
    const { live } = this.store;
    const reach = 2 * this.settings().reach;
    if (!shape || !live || handleAt(shape, at, reach) >= 0) return false;
    const edge = edgeAt(shape, at, reach);
    if (edge < 0) return false;
    this.store.draw({ shape: withCorner(shape, edge, at) }, live.mode, live.base);
    return true;
  }

  get pickable(): boolean {
    return this.settings().pickable.length > 0;
  }

  /** What a click would take at a point: a component, or a square of patches. */
  offer(at: Point): Draft | null {
    const settings = this.settings();
    const { tool, snap } = settings;
    if (this.gesture) return null;
    if (tool === "pick") {
      const mask = this.componentAt(at);
      return mask && { mask };
    }
    if (!snap || (tool !== "box" && tool !== "ellipse") || this.holds(at)) return null;
    const surface = this.surface(settings);
    const { height, width } = surface;
    const outside = at.x < 0 || at.y < 0 || at.x >= width || at.y >= height;
    return outside ? null : { shape: squareTarget(tool, at, surface) };
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

  /** Whether a press at a point takes hold of the shape that is there. */
  private holds(at: Point): boolean {
    const { shape } = this;
    const { reach, mode } = this.settings();
    if (!shape) return false;
    const taken = inside(shape, at) || edgeAt(shape, at, 2 * reach) >= 0;
    return handleAt(shape, at, 2 * reach) >= 0 || (mode === "replace" && taken);
  }

  private removeCorner(at: Point): boolean {
    const { shape } = this;
    const { live } = this.store;
    if (!live || shape?.kind !== "polygon") return false;
    const corner = handleAt(shape, at, 2 * this.settings().reach);
    if (corner < 0) return false;
    this.store.draw({ shape: withoutCorner(shape, corner) }, live.mode, live.base);
    return true;
  }

  /** Takes hold of the shape: by a handle, or by its inside unless that is to be drawn on. */
  private edit(at: Point, reach: number, mode: Mode): boolean {
    const { shape } = this;
    const { live } = this.store;
    if (!shape || !live) return false;
    const handle = handleAt(shape, at, 2 * reach);
    const taken = inside(shape, at) || edgeAt(shape, at, 2 * reach) >= 0;
    if (handle < 0 && (mode !== "replace" || !taken)) return false;
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
      cells: settings.targetPatches,
      reach: settings.reach,
    };
  }

  private modeFor(keys: Keys): Mode {
    if (keys.shift && keys.alt) return "intersect";
    if (keys.shift) return "add";
    return keys.alt ? "subtract" : this.settings().mode;
  }

  /** The component under a point; while the pointer stays in it, the same mask. */
  private componentAt(at: Point): Mask | null {
    const { height, width } = this.store.mask;
    const row = Math.floor(at.y);
    const column = Math.floor(at.x);
    if (row < 0 || column < 0 || row >= height || column >= width) return null;
    const mask = this.settings().pickable.find((each) => each.at(row, column));
    if (!mask) return null;
    if (this.found?.at(row, column) && this.foundIn === mask) return this.found;
    this.foundIn = mask;
    this.found = componentAt(mask, row, column);
    return this.found;
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
