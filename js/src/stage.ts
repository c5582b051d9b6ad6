import { Painter } from "./painter";
import type { Scene } from "./scene";

/** The visible canvas: its size on the screen, and one frame per request. */
export class Stage {
  width = 0;
  height = 0;
  private requested = 0;
  private readonly painter = new Painter();
  private readonly context: CanvasRenderingContext2D;

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly scene: () => Scene,
    private readonly painted: () => void,
    private readonly signal: AbortSignal,
  ) {
    this.context = canvas.getContext("2d")!;
    signal.addEventListener("abort", () => cancelAnimationFrame(this.requested));
  }

  /** Sets the size in CSS pixels; the canvas itself is as dense as the screen. */
  resize(width: number, height: number): void {
    this.width = width;
    this.height = height;
    this.canvas.width = Math.round(width * window.devicePixelRatio);
    this.canvas.height = Math.round(height * window.devicePixelRatio);
    this.canvas.style.height = `${height}px`;
    this.draw();
  }

  invalidate(): void {
    if (this.requested || this.signal.aborted) return;
    this.requested = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    cancelAnimationFrame(this.requested);
    this.requested = 0;
    if (this.width > 0 && this.height > 0) this.painter.paint(this.context, this.scene());
    this.painted();
  }
}
