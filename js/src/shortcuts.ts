import * as actions from "./actions";
import type { CanvasView } from "./canvas_view";
import type { Tool } from "./traits";

/** A key (as in KeyboardEvent.key, letters in lower case) with what it does. */
export interface Shortcut {
  readonly keys: readonly string[];
  readonly shown: string;
  readonly words: string;
  /** The tool that it chooses, where it chooses one. */
  readonly tool?: Tool;
  readonly run: (view: CanvasView) => void;
}

const tool = (key: string, name: Tool, words: string): Shortcut => ({
  keys: [key],
  shown: key.toUpperCase(),
  words,
  tool: name,
  run: (view) => actions.chooseTool(view, name),
});

export const TOOL_KEYS: readonly Shortcut[] = [
  tool("i", "inspect", "Inspect: click a patch, drag to pan"),
  tool("w", "window", "Window and level: drag"),
  tool("b", "box", "Box"),
  tool("e", "ellipse", "Ellipse"),
  tool("p", "polygon", "Polygon: click corners, double-click to close"),
  tool("l", "lasso", "Lasso"),
  tool("d", "brush", "Brush"),
  tool("x", "eraser", "Eraser"),
  tool("k", "pick", "Pick a component of the prediction or the truth"),
  tool("v", "move", "Move and resize the region"),
];

export const REGION_KEYS: readonly Shortcut[] = [
  {
    keys: ["ctrl+z"],
    shown: "Ctrl+Z",
    words: "Undo",
    run: actions.undo,
  },
  { keys: ["ctrl+shift+z", "ctrl+y"], shown: "Ctrl+Shift+Z", words: "Redo", run: actions.redo },
  { keys: ["delete", "backspace"], shown: "Delete", words: "Clear the region", run: actions.clear },
  { keys: ["f"], shown: "F", words: "Fill holes", run: actions.fillHoles },
  {
    keys: [">", "shift+>"],
    shown: ">",
    words: "Grow by a pixel",
    run: (view) => actions.grow(view, true),
  },
  {
    keys: ["<", "shift+<"],
    shown: "<",
    words: "Shrink by a pixel",
    run: (view) => actions.grow(view, false),
  },
  {
    keys: ["["],
    shown: "[",
    words: "Smaller brush",
    run: (view) => actions.resizeBrush(view, false),
  },
  {
    keys: ["]"],
    shown: "]",
    words: "Larger brush",
    run: (view) => actions.resizeBrush(view, true),
  },
  {
    keys: ["s"],
    shown: "S",
    words: "Snap to the patch grid: a click takes a square",
    run: (view) => actions.toggle(view, "snap"),
  },
];

export const VIEW_KEYS: readonly Shortcut[] = [
  {
    keys: ["+", "=", "shift++"],
    shown: "+",
    words: "Zoom in",
    run: (view) => view.navigator.zoomBy(1.25),
  },
  { keys: ["-"], shown: "\u2212", words: "Zoom out", run: (view) => view.navigator.zoomBy(0.8) },
  { keys: ["0"], shown: "0", words: "Fit the picture", run: (view) => view.navigator.fit() },
  {
    keys: ["g"],
    shown: "G",
    words: "Patch grid",
    run: (view) => actions.toggle(view, "show_grid"),
  },
  {
    keys: ["c"],
    shown: "C",
    words: "Crosshair",
    run: (view) => actions.toggle(view, "show_crosshair"),
  },
  {
    keys: ["1"],
    shown: "1",
    words: "Region on or off",
    run: (view) => actions.toggle(view, "show_region"),
  },
  {
    keys: ["2"],
    shown: "2",
    words: "Prediction on or off",
    run: (view) => actions.toggle(view, "show_prediction"),
  },
  {
    keys: ["3"],
    shown: "3",
    words: "Truth on or off",
    run: (view) => actions.toggle(view, "show_truth"),
  },
  {
    keys: ["4"],
    shown: "4",
    words: "Notes on or off",
    run: (view) => actions.toggle(view, "show_notes"),
  },
  { keys: [","], shown: ",", words: "Fainter map", run: (view) => actions.fade(view, false) },
  { keys: ["."], shown: ".", words: "Stronger map", run: (view) => actions.fade(view, true) },
  {
    keys: ["m"],
    shown: "M",
    words: "Only significant effects",
    run: (view) => actions.toggle(view, "significant"),
  },
  {
    keys: ["n"],
    shown: "N",
    words: "Smooth or single pixels",
    run: (view) => actions.toggle(view, "smooth"),
  },
];

export const SLICE_KEYS: readonly Shortcut[] = [
  { keys: ["pageup"], shown: "Page Up", words: "Next slice", run: (view) => view.moveSlice(1) },
  {
    keys: ["pagedown"],
    shown: "Page Down",
    words: "Slice before",
    run: (view) => view.moveSlice(-1),
  },
];

/** What the hand does, for the help; the stage itself listens to these. */
export const GESTURES: readonly (readonly [string, string])[] = [
  ["Arrow keys", "Move the cursor by a pixel, with Shift by ten"],
  ["Space", "Start and end a drawing at the cursor, or select the patch"],
  ["Enter", "Close a polygon, end a drawing; undo takes its last corner back"],
  ["Escape", "Drop the drawing, let go of a shape"],
  ["Shift, Alt", "While starting to draw: add, subtract; both: intersect. Alt-brush erases"],
  ["Ctrl", "While drawing: equal sides"],
  ["Wheel", "Zoom (in volumes: next slice) once the picture has the focus; zoom with Ctrl"],
  ["Middle button", "Pan; two fingers pinch and pan"],
  ["Double-click", "Fit the picture (inspect); the picture's own window (window and level)"],
  ["Double-click an edge", "One corner more in a polygon; Alt-click a corner for one less"],
];

const SHORTCUTS = new Map(
  [...TOOL_KEYS, ...REGION_KEYS, ...VIEW_KEYS, ...SLICE_KEYS].flatMap((shortcut) =>
    shortcut.keys.map((key) => [key, shortcut] as const),
  ),
);

interface Pressed {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/** The shortcut of a key press, undefined for none. Ctrl and Cmd are the same. */
export function shortcutOf(event: Pressed): Shortcut | undefined {
  if (event.altKey) return undefined;
  const ctrl = event.ctrlKey || event.metaKey ? "ctrl+" : "";
  const shift = event.shiftKey ? "shift+" : "";
  return SHORTCUTS.get(`${ctrl}${shift}${event.key.toLowerCase()}`);
}
