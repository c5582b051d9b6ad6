import type { CanvasView } from "./canvas_view";
import type { Keys } from "./editor";
import { distance, type Point } from "./geometry";

const NOTCH = 60;
const MIDDLE = 1;
/** The other end of a pen. */
const ERASER = 5;

const keysOf = (event: PointerEvent): Keys => ({
  shift: event.shiftKey,
  alt: event.altKey,
  square: event.ctrlKey || event.metaKey,
});

/** Mouse, pen and touch on the stage. One pointer draws, two fingers zoom, the middle button pans. */
export class Pointers {
  private fingers = new Map<number, Point>();
  private drawing: number | null = null;
  private dragFrom: Point | null = null;
  private dragged = false;
  private scrolled = 0;

  constructor(
    private readonly view: CanvasView,
    private readonly stage: HTMLElement,
    signal: AbortSignal,
  ) {
    const on = <K extends keyof HTMLElementEventMap>(
      name: K,
      listener: (event: HTMLElementEventMap[K]) => void,
      options: AddEventListenerOptions = {},
    ) => stage.addEventListener(name, listener, { signal, ...options });
    on("pointerdown", this.down);
    on("pointermove", this.move);
    on("pointerup", this.up);
    on("pointercancel", this.cancel);
    on("pointerleave", () => view.pointAt(null));
    on("dblclick", () => view.doubleClick());
    on("wheel", this.wheel, { passive: false });
    on("contextmenu", (event) => {
      if (event.altKey || event.ctrlKey) event.preventDefault();
    });
  }

  private point(event: MouseEvent): Point {
    const box = this.stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private down = (event: PointerEvent): void => {
    const erases = event.button === ERASER;
    if (event.button > MIDDLE && !erases) return;
    const at = this.point(event);
    this.stage.focus({ preventScroll: true });
    this.stage.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") this.fingers.set(event.pointerId, at);
    if (this.fingers.size > 1) {
      this.view.editor.cancel();
      this.drawing = null;
      return;
    }
    event.preventDefault();
    this.dragFrom = at;
    this.dragged = false;
    const moves = event.button === MIDDLE || (this.view.drags && !erases);
    if (moves || this.view.sources.ahead) return;
    this.drawing = event.pointerId;
    this.view.pointAt(at);
    const tool = erases ? "eraser" : this.view.model.get("tool");
    this.view.editor.press(this.view.imagePoint(at), keysOf(event), tool);
    this.view.invalidate();
  };

  private move = (event: PointerEvent): void => {
    const at = this.point(event);
    if (this.fingers.size > 1 && this.fingers.has(event.pointerId)) {
      this.pinch(event.pointerId, at);
      return;
    }
    this.view.pointAt(at);
    if (this.dragFrom && this.drawing === null) {
      this.drag(at);
      return;
    }
    const coalesced = event.getCoalescedEvents?.() ?? [];
    const events = coalesced.length > 0 ? coalesced : [event];
    const points = events.map((each) => this.view.imagePoint(this.point(each)));
    this.view.editor.move(points, keysOf(event));
    this.view.repaint();
  };

  private up = (event: PointerEvent): void => {
    const at = this.point(event);
    this.fingers.delete(event.pointerId);
    if (this.drawing === event.pointerId) {
      this.view.editor.release(this.view.imagePoint(at));
    } else if (this.dragFrom && !this.dragged && event.button === 0) {
      this.view.click(at);
    }
    this.view.navigator.dragEnd();
    this.drawing = null;
    this.dragFrom = null;
    this.view.invalidate();
  };

  private cancel = (event: PointerEvent): void => {
    this.fingers.delete(event.pointerId);
    this.view.editor.cancel();
    this.drawing = null;
    this.dragFrom = null;
    this.view.invalidate();
  };

  private drag(at: Point): void {
    const from = this.dragFrom!;
    if (!this.dragged && distance(from, at) < 4) return;
    this.dragged = true;
    this.view.drag(at.x - from.x, at.y - from.y);
    this.dragFrom = at;
  }

  private pinch(id: number, at: Point): void {
    const before = this.fingers.get(id)!;
    const other = [...this.fingers].find(([key]) => key !== id)![1];
    const factor = distance(at, other) / Math.max(distance(before, other), 1);
    this.fingers.set(id, at);
    this.view.navigator.zoomBy(factor, { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 });
    this.view.navigator.pan((at.x - before.x) / 2, (at.y - before.y) / 2);
  }

  /** One notch of the wheel, or as much of a touch pad, is one slice. */
  private scroll(pixels: number): void {
    this.scrolled += pixels;
    const steps = Math.trunc(this.scrolled / NOTCH);
    this.scrolled -= steps * NOTCH;
    if (steps) this.view.moveSlice(steps);
  }

  private wheel = (event: WheelEvent): void => {
    const focused = this.stage.matches(":focus-within");
    if (!event.ctrlKey && !event.metaKey && !focused) return;
    event.preventDefault();
    const pixels = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
    if (this.view.model.get("count") !== undefined && !event.ctrlKey && !event.metaKey) {
      this.scroll(pixels);
      return;
    }
    this.view.navigator.zoomBy(Math.exp(-pixels / (event.ctrlKey ? 120 : 480)), this.point(event));
  };
}
