import type { Drawn } from "./gestures";
import { History, type Sketch } from "./history";
import { combine, Mask, type Mode } from "./mask";
import { sameList, withMask } from "./region_list";
import { rasterShape, type Shape, stampOf } from "./shape";
import type { NamedWire } from "./traits";
import { readMask } from "./wire";

/** A shape that was just drawn and can still be changed, with the region it was drawn onto. */
export interface Live {
  readonly shape: Shape;
  readonly base: Mask;
  readonly mode: Mode;
}

/** The regions of one view: what they are, what they were, and the shape that can be edited. */
export class RegionStore {
  private readonly histories = new Map<string, History>();
  private history: History;
  private previewed = false;
  live: Live | null = null;

  constructor(
    private current: Sketch,
    private readonly changed: (sketch: Sketch, final: boolean) => void,
    private place = "",
  ) {
    this.history = new History(current);
    this.histories.set(place, this.history);
  }

  get mask(): Mask {
    return this.current.mask;
  }

  get active(): string {
    return this.current.active;
  }

  /** The named regions; the active one as it is drawn now. */
  get regions(): readonly NamedWire[] {
    return withMask(this.current.regions, this.current.active, this.current.mask);
  }

  get canUndo(): boolean {
    return this.history.canUndo;
  }

  get canRedo(): boolean {
    return this.history.canRedo;
  }

  /** Takes over what was set elsewhere as a step; tells whether the region is another. */
  adopt(sketch: Sketch): boolean {
    const { current } = this;
    const drawn = !sketch.mask.equals(current.mask);
    const { active, regions } = sketch;
    this.previewed = false;
    const listed = active !== current.active || !sameList(regions, current.regions, active);
    this.current = drawn ? sketch : { ...sketch, mask: current.mask };
    if (!sameSize(sketch.mask, current.mask)) this.begin(sketch);
    else if (drawn || listed) this.history.push(sketch);
    else this.history.amend(regions);
    if (drawn) this.live = null;
    return drawn;
  }

  /** Goes to another slice, whose steps are remembered from earlier visits. */
  visit(place: string, sketch: Sketch): void {
    this.live = null;
    this.place = place;
    const known = this.histories.get(place);
    if (!known || !sameSize(sketch.mask, this.current.mask)) this.begin(sketch);
    else {
      this.history = known;
      this.current = known.now();
      this.adopt(sketch);
    }
    this.current = sketch;
  }

  /** The region that a drawing would make. */
  drawnOnto(drawn: Drawn, mode: Mode, base: Mask): Mask {
    if ("mask" in drawn) return drawn.mask;
    return combine(base, rasterShape(drawn.shape, base.height, base.width), mode);
  }

  /** Shows a region that is still being drawn, without remembering it. */
  preview(drawn: Drawn, mode: Mode, base: Mask): void {
    this.previewed = true;
    this.changed({ ...this.current, mask: this.drawnOnto(drawn, mode, base) }, false);
  }

  /** Takes back what was previewed and will not be drawn. */
  withdraw(): void {
    if (this.previewed) this.tell();
  }

  draw(drawn: Drawn, mode: Mode, base: Mask = this.mask): void {
    this.commit(this.drawnOnto(drawn, mode, base));
    if ("shape" in drawn) this.live = { shape: drawn.shape, base, mode };
  }

  /** Combines the region with a mask that was found, not drawn. */
  drawMask(mask: Mask, mode: Mode): void {
    this.commit(combine(this.mask, mask, mode));
  }

  /** Makes the whole region a shape that can be moved and stretched. */
  lift(): void {
    const shape = stampOf(this.mask);
    const base = new Mask(this.mask.height, this.mask.width);
    this.live = shape && { shape, base, mode: "replace" };
  }

  /** Replaces the region as one step that can be undone. */
  commit(mask: Mask): void {
    this.live = null;
    if (mask.equals(this.mask)) this.withdraw();
    else this.step({ ...this.current, mask });
  }

  /** Replaces the list of named regions, and the active one among them, as one step. */
  arrange(regions: readonly NamedWire[], active: string): void {
    this.step({ ...this.current, regions, active });
  }

  /** Draws on a named region from now on. */
  choose(name: string): void {
    const { regions } = this;
    const entry = regions.find((each) => each.name === name);
    if (entry) this.step({ mask: readMask(entry), regions, active: name });
  }

  clear(): void {
    this.commit(new Mask(this.mask.height, this.mask.width));
  }

  undo(): void {
    this.travel(this.history.undo());
  }

  redo(): void {
    this.travel(this.history.redo());
  }

  private begin(sketch: Sketch): void {
    this.history = new History(sketch);
    this.histories.set(this.place, this.history);
  }

  private step(sketch: Sketch): void {
    this.live = null;
    this.current = sketch;
    this.history.push(sketch);
    this.tell();
  }

  private travel(sketch: Sketch | null): void {
    if (!sketch) return;
    this.live = null;
    this.current = sketch;
    this.tell();
  }

  private tell(): void {
    this.previewed = false;
    this.changed({ ...this.current, regions: this.regions }, true);
  }
}

const sameSize = (a: Mask, b: Mask): boolean => a.height === b.height && a.width === b.width;
