import type { CanvasView } from "./canvas_view";

const NARROWEST = 340;
const LOWEST = 120;
/** Height of everything but the picture, in full screen. */
const CHROME = 150;

/** Keeps the stage as large as its cell, or the full screen, allows. */
export function fitTo(
  cell: HTMLElement,
  root: HTMLElement,
  view: CanvasView,
  signal: AbortSignal,
): void {
  const resize = () => {
    const full = document.fullscreenElement === root;
    const available = full ? window.innerWidth - 32 : cell.clientWidth;
    if (available <= 0) return;
    const [height, width] = view.size;
    const shape = (height * view.aspect) / width;
    const highest = full ? window.innerHeight - CHROME : view.model.get("max_height") || available;
    const stageWidth = Math.floor(Math.min(available, Math.max(highest / shape, NARROWEST)));
    const stageHeight = Math.round(Math.min(highest, Math.max(LOWEST, stageWidth * shape)));
    root.style.width = full ? "" : `${stageWidth}px`;
    view.stage.canvas.style.width = `${stageWidth}px`;
    view.stage.resize(stageWidth, stageHeight);
  };
  const observer = new ResizeObserver(resize);
  observer.observe(cell);
  signal.addEventListener("abort", () => observer.disconnect());
  document.addEventListener("fullscreenchange", resize, { signal });
  window.addEventListener("resize", resize, { signal });
  for (const name of ["image", "spacing", "max_height"]) view.model.on(`change:${name}`, resize);
  resize();
}
