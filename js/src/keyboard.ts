import { pressKey } from "./actions";
import type { CanvasView } from "./canvas_view";
import { shortcutOf } from "./shortcuts";

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Controls with an undo of their own. */
const TYPED = "textarea, input[type='text'], input[type='number']";

/** Keys of the stage (cursor and drawing) and of the whole canvas (shortcuts). */
export function keyboard(
  view: CanvasView,
  root: HTMLElement,
  help: () => void,
  signal: AbortSignal,
): void {
  const { canvas } = view.stage;
  // Notebook 7 hears keys before anything inside the page does; it passes over what is so marked.
  window.addEventListener(
    "keydown",
    (event) => {
      if (!root.contains(event.target as Node)) return;
      root.toggleAttribute("data-lm-suppress-shortcuts", isOurs(event));
    },
    { capture: true, signal },
  );
  root.addEventListener(
    "keydown",
    (event) => {
      if (!isOurs(event)) return;
      // A notebook takes single letters for commands: "a" would insert a cell.
      event.stopPropagation();
      const target = event.target as HTMLElement;
      const steps = (event.ctrlKey || event.metaKey) && !target.matches(TYPED);
      if (target.matches("input, select, textarea") && !steps) return;
      const used = (target === canvas && stageKey(view, event)) || shortcut(view, event, help);
      if (used) event.preventDefault();
    },
    { signal },
  );
  canvas.addEventListener(
    "blur",
    () => {
      view.keyboard = null;
      view.invalidate();
    },
    { signal },
  );
}

/** Tab moves on, Shift+Enter runs the cell, and Ctrl is ours for undo and redo only. */
function isOurs(event: KeyboardEvent): boolean {
  if (event.key === "Tab" || (event.key === "Enter" && event.shiftKey)) return false;
  return !(event.ctrlKey || event.metaKey) || shortcutOf(event) !== undefined;
}

function stageKey(view: CanvasView, event: KeyboardEvent): boolean {
  const keys = { shift: event.shiftKey, alt: event.altKey };
  const step = STEPS[event.key];
  if (step) {
    const pixels = event.shiftKey ? 10 : 1;
    view.moveCursor(step[0] * pixels, step[1] * pixels);
  } else if (event.key === " ") {
    pressKey(view, keys);
  } else if (event.key === "Enter") {
    if (view.editor.active) view.editor.close();
    else pressKey(view, keys);
  } else if (event.key === "Escape") {
    if (!view.editor.active && !view.store.live) return false;
    view.editor.cancel();
  } else {
    return false;
  }
  view.invalidate();
  return true;
}

function shortcut(view: CanvasView, event: KeyboardEvent, help: () => void): boolean {
  if (event.key === "?") {
    help();
    return true;
  }
  const found = shortcutOf(event);
  found?.run(view);
  return found !== undefined;
}
