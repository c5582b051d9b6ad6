import type { Drawn } from "./gestures";
import { History } from "./history";
import { combine, Mask, type Mode } from "./mask";
import { rasterShape, type Shape, stampOf } from "./shape";

/** A shape that was just drawn and can still be changed, with the region it was drawn onto. */
export interface Live {
  readonly shape: Shape;
  readonly base: Mask;
  readonly mode: Mode;
}

/** The region of one view: what it is, what it was, and the shape that can still be edited. */
export class RegionStore {
  private history: History;
  private previewed = false;
  live: Live | null = null;

  constructor(
    private current: Mask,
    private readonly changed: (mask: Mask, final: boolean) => void,
  ) {
    this.history = new History(current);
  }

  get mask(): Mask {
    return this.current;
  }

  get canUndo(): boolean {
    return this.history.canUndo;
  }

  get canRedo(): boolean {
    return this.history.canRedo;
  }

  /** Takes over a region that was set elsewhere; one of another size starts a new history. */
  adopt(mask: Mask): void {
    this.previewed = false;
    if (mask.height !== this.current.height || mask.width !== this.current.width) {
      this.history = new History(mask);
    } else if (mask.equals(this.current)) {
      return;
    } else {
      this.history.push(mask);
    }
    this.current = mask;
    this.live = null;
  }

  /** Starts with a region of another slice: nothing of this one can be undone there. */
  reset(mask: Mask): void {
    this.previewed = false;
    this.current = mask;
    this.history = new History(mask);
    this.live = null;
  }

  /** The region that a drawing would make. */
  drawnOnto(drawn: Drawn, mode: Mode, base: Mask): Mask {
    if ("mask" in drawn) return drawn.mask;
    return combine(base, rasterShape(drawn.shape, base.height, base.width), mode);
  }

  /** Shows a region that is still being drawn, without remembering it. */
  preview(drawn: Drawn, mode: Mode, base: Mask): void {
    this.previewed = true;
    this.changed(this.drawnOnto(drawn, mode, base), false);
  }

  /** Takes back what was previewed and will not be drawn. */
  withdraw(): void {
    if (!this.previewed) return;
    this.previewed = false;
    this.changed(this.current, true);
  }

  draw(drawn: Drawn, mode: Mode, base: Mask = this.current): void {
    this.commit(this.drawnOnto(drawn, mode, base));
    if ("shape" in drawn) this.live = { shape: drawn.shape, base, mode };
  }

  /** Combines the region with a mask that was found, not drawn. */
  drawMask(mask: Mask, mode: Mode): void {
    this.commit(combine(this.current, mask, mode));
  }

  /** Makes the whole region a shape that can be moved and stretched. */
  lift(): void {
    const shape = stampOf(this.current);
    const base = new Mask(this.current.height, this.current.width);
    this.live = shape && { shape, base, mode: "replace" };
  }

  /** Replaces the region as one step that can be undone. */
  commit(mask: Mask): void {
    this.live = null;
    if (mask.equals(this.current)) {
      this.withdraw();
      return;
    }
    this.previewed = false;
    this.current = mask;
    this.history.push(mask);
    this.changed(mask, true);
  }

  clear(): void {
    this.commit(new Mask(this.current.height, this.current.width));
  }

  undo(): void {
    this.travel(this.history.undo());
  }

  redo(): void {
    this.travel(this.history.redo());
  }

  private travel(mask: Mask | null): void {
    if (!mask) return;
    this.live = null;
    this.current = mask;
    this.changed(mask, true);
  }
}
