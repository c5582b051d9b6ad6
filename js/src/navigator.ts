import type { Point } from "./geometry";
import type { Sources } from "./sources";
import type { Model } from "./traits";
import { FIT, type Frame, keepInside, panBy, type View, viewOf, type Zoom, zoomAt } from "./view";

/** Zoom, pan, and window and level: what changes how the picture is seen, and nothing in it. */
export class Navigator {
  constructor(
    private readonly model: Model,
    private readonly sources: Sources,
    readonly frame: () => Frame,
    private readonly changed: () => void,
  ) {}

  get zoom(): Zoom {
    return keepInside(this.frame(), this.model.get("view") ?? FIT);
  }

  get view(): View {
    return viewOf(this.frame(), this.zoom);
  }

  fit(): void {
    this.show(FIT);
  }

  pan(dx: number, dy: number): void {
    this.show(panBy(this.frame(), this.zoom, dx, dy));
  }

  /** Zooms around a point of the stage, the middle when none is given. */
  zoomBy(factor: number, at?: Point): void {
    const frame = this.frame();
    const middle = { x: frame.stageWidth / 2, y: frame.stageHeight / 2 };
    this.show(zoomAt(frame, this.zoom, at ?? middle, factor));
  }

  /** Drags the window: to the right for less contrast, upwards for a darker picture. */
  dragWindow(dx: number, dy: number): void {
    const { picture } = this.sources;
    if (!picture) return;
    const range = Math.max(...picture.hi) - Math.min(...picture.lo);
    const [low, high] = this.sources.window;
    const width = Math.max(high - low + (2 * dx * range) / 300, range / 1000);
    const level = (low + high) / 2 - (dy * range) / 300;
    this.sources.draggedWindow = [level - width / 2, level + width / 2];
    this.changed();
  }

  /** Makes a dragged window a trait, once per drag. */
  dragEnd(): void {
    const dragged = this.sources.draggedWindow;
    if (!dragged) return;
    this.sources.draggedWindow = null;
    this.model.set("window", [dragged[0], dragged[1]]);
    this.model.save_changes();
  }

  private show(zoom: Zoom): void {
    this.model.set("view", [...zoom]);
    this.model.save_changes();
    this.changed();
  }
}
