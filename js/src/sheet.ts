/** A canvas of the size of the stage that is drawn anew only when what it is made from changes. */
export class Sheet {
  private readonly canvas = document.createElement("canvas");
  private readonly context = this.canvas.getContext("2d")!;
  private from: readonly unknown[] = [];

  /** The sheet, `ratio` device pixels to a CSS pixel, after `draw` where that was necessary. */
  drawn(
    size: { readonly width: number; readonly height: number },
    ratio: number,
    from: readonly unknown[],
    draw: (context: CanvasRenderingContext2D) => void,
  ): HTMLCanvasElement {
    const now = [...from, size.width, size.height, ratio];
    const same = now.length === this.from.length && now.every((v, i) => v === this.from[i]);
    if (!same) {
      this.from = now;
      this.canvas.width = size.width;
      this.canvas.height = size.height;
      this.context.scale(ratio, ratio);
      draw(this.context);
    }
    return this.canvas;
  }
}
