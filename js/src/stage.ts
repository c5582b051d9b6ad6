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

  /** Sets the size in CSS pixels. */
  resize(width: number, height: number): void {
    this.width = width;
    this.height = height;
    this.canvas.style.height = `${height}px`;
    this.draw();
  }

  /** Makes the canvas as dense as the screen, which may be another one than before. */
  private fit(): void {
    const width = Math.round(this.width * window.devicePixelRatio);
    const height = Math.round(this.height * window.devicePixelRatio);
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
  }

  invalidate(): void {
    if (this.requested || this.signal.aborted) return;
    this.requested = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    cancelAnimationFrame(this.requested);
    this.requested = 0;
    this.fit();
    if (this.width > 0 && this.height > 0) this.painter.paint(this.context, this.scene());
    this.painted();
  }
}
