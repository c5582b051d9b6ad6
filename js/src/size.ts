import type { CanvasView } from "./canvas_view";

/** The toolbar in one row. */
const NARROWEST = 432;
const LOWEST = 120;
/** Of the whole canvas in full screen, all around. */
const PADDING = 16;

/** Keeps the stage as large as its cell, or the full screen, allows. */
export function fitTo(
  cell: HTMLElement,
  root: HTMLElement,
  view: CanvasView,
  signal: AbortSignal,
): void {
  const resize = () => {
    const full = document.fullscreenElement === root;
    const available = full ? window.innerWidth - 2 * PADDING : cell.clientWidth;
    if (available <= 0) return;
    const highest = full
      ? window.innerHeight - chrome()
      : view.model.get("max_height") || available;
    const shape = shapeOf(view);
    const stageWidth = Math.floor(Math.min(available, Math.max(highest / shape, NARROWEST)));
    const stageHeight = Math.round(Math.min(highest, Math.max(LOWEST, stageWidth * shape)));
    root.style.width = full ? "" : `${stageWidth}px`;
    view.stage.canvas.style.width = `${stageWidth}px`;
    view.stage.resize(stageWidth, stageHeight);
  };
  /** Height of everything but the picture. */
  const chrome = () =>
    [...root.children]
      .filter((part) => !part.contains(view.stage.canvas))
      .reduce((sum, part) => sum + (part as HTMLElement).offsetHeight, 2 * PADDING);
  const observer = new ResizeObserver(resize);
  observer.observe(cell);
  signal.addEventListener("abort", () => observer.disconnect());
  document.addEventListener("fullscreenchange", resize, { signal });
  window.addEventListener("resize", resize, { signal });
  for (const name of ["image", "spacing", "max_height"]) view.model.on(`change:${name}`, resize);
  resize();
}

/** Height over width of the stage: the picture's; for volumes a square that suits all planes. */
function shapeOf(view: CanvasView): number {
  if (view.model.get("plane") !== undefined) return 1;
  const [height, width] = view.size;
  return (height * view.aspect) / width;
}
