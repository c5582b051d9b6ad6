import type { CanvasView } from "./canvas_view";
import { clamp } from "./geometry";
import type { Tool } from "./traits";

/** What buttons and keys do, in words. */

export function chooseTool(view: CanvasView, tool: Tool): void {
  view.editor.cancel();
  view.set("tool", tool);
  if (tool === "move") view.store.lift();
}

/** Takes a corner of a polygon back that is being drawn, then steps that were. */
export function undo(view: CanvasView): void {
  if (!view.editor.back()) view.store.undo();
  view.invalidate();
}

export function redo(view: CanvasView): void {
  view.editor.cancel();
  view.store.redo();
  view.invalidate();
}

export function clear(view: CanvasView): void {
  if (!view.editor.back()) view.store.clear();
  view.invalidate();
}

export function fillHoles(view: CanvasView): void {
  view.editor.cancel();
  view.editor.fillHoles();
  view.invalidate();
}

export function grow(view: CanvasView, bigger: boolean): void {
  view.editor.cancel();
  view.editor.grow(bigger);
  view.invalidate();
}

export function resizeBrush(view: CanvasView, bigger: boolean): void {
  const size = view.model.get("brush_size");
  const step = Math.max(1, Math.round(size / 6));
  view.set("brush_size", clamp(size + (bigger ? step : -step), 1, 512));
}

export function fade(view: CanvasView, stronger: boolean): void {
  const opacity = view.model.get("opacity") + (stronger ? 0.1 : -0.1);
  view.set("opacity", clamp(Math.round(opacity * 10) / 10, 0, 1));
}

type Switch =
  | "show_region"
  | "show_prediction"
  | "show_truth"
  | "show_notes"
  | "show_grid"
  | "show_crosshair"
  | "smooth"
  | "snap"
  | "significant";

export function toggle(view: CanvasView, name: Switch): void {
  view.set(name, !view.model.get(name));
}

/** Starts a drawing at the keyboard's cursor, adds a corner to it, or ends it. */
export function pressKey(view: CanvasView, keys: { shift: boolean; alt: boolean }): void {
  view.moveCursor(0, 0);
  const at = view.keyboard;
  if (!at) return;
  if (view.model.get("tool") === "inspect") view.selectPatch(at);
  else if (view.editor.active) view.editor.release(at);
  else {
    view.editor.press(at, { ...keys, square: false });
    if (view.model.get("tool") === "polygon") view.editor.move([at], { ...keys, square: false });
  }
  view.invalidate();
}

/** Puts the picture on the clipboard; where a page may not do that, into a file. */
export async function copyPicture(view: CanvasView): Promise<string> {
  const canvas = view.stage.canvas;
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (!blob) return "There is no picture to copy";
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
    return "Picture copied";
  } catch {
    save(blob, "canvas.png");
    return "Picture saved: the browser does not let this page copy";
  }
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function fullScreen(root: HTMLElement): void {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void root.requestFullscreen?.();
}
