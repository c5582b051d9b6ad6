import type { CanvasView } from "./canvas_view";
import { h, iconButton } from "./dom";
import type { IconName } from "./icons";
import type { Tool } from "./traits";

interface ToolEntry {
  readonly tool: Tool;
  readonly label: string;
  readonly key: string;
}

/** The tools in the order of the toolbar, in groups. */
export const TOOL_GROUPS: readonly (readonly ToolEntry[])[] = [
  [
    { tool: "inspect", label: "Inspect: click a patch, drag to pan", key: "I" },
    { tool: "window", label: "Window and level: drag", key: "W" },
  ],
  [
    { tool: "box", label: "Box", key: "B" },
    { tool: "ellipse", label: "Ellipse", key: "E" },
    { tool: "polygon", label: "Polygon: click corners, double-click closes", key: "P" },
    { tool: "lasso", label: "Lasso", key: "L" },
    { tool: "brush", label: "Brush", key: "D" },
    { tool: "eraser", label: "Eraser", key: "X" },
    { tool: "pick", label: "Pick a component of the prediction or the truth", key: "K" },
    { tool: "move", label: "Move and resize the region", key: "V" },
  ],
];

export interface Toolbar {
  readonly element: HTMLElement;
  refresh(): void;
}

/** One row of buttons; the arrow keys move between them, Tab leaves. */
export function toolbar(view: CanvasView, actions: readonly HTMLElement[], id: string): Toolbar {
  const tools = new Map<Tool, HTMLButtonElement>();
  const groups = TOOL_GROUPS.map((group) => {
    const buttons = group.map(({ tool, label, key }) => {
      const button = iconButton(tool as IconName, label, key);
      button.addEventListener("click", () => chooseTool(view, tool));
      tools.set(tool, button);
      return button;
    });
    return h("div", { class: "pdcr-group", role: "group" }, ...buttons);
  });
  const undo = iconButton("undo", "Undo", "Ctrl+Z");
  const redo = iconButton("redo", "Redo", "Ctrl+Shift+Z");
  const clear = iconButton("clear", "Clear the region", "Delete");
  const then = (action: () => void) => () => {
    action();
    view.invalidate();
  };
  undo.addEventListener(
    "click",
    then(() => view.store.undo()),
  );
  redo.addEventListener(
    "click",
    then(() => view.store.redo()),
  );
  clear.addEventListener(
    "click",
    then(() => view.store.clear()),
  );
  const element = h(
    "div",
    { class: "pdcr-toolbar", role: "toolbar", "aria-label": "Drawing tools", "aria-controls": id },
    ...groups,
    h("div", { class: "pdcr-group", role: "group" }, undo, redo, clear),
    h("div", { class: "pdcr-group pdcr-end", role: "group" }, ...actions),
  );
  rove(element);
  return {
    element,
    refresh() {
      const chosen = view.model.get("tool");
      for (const [tool, button] of tools) {
        button.setAttribute("aria-pressed", String(tool === chosen));
      }
      undo.disabled = !view.store.canUndo;
      redo.disabled = !view.store.canRedo;
      clear.disabled = !view.store.mask.data.includes(1);
    },
  };
}

export function chooseTool(view: CanvasView, tool: Tool): void {
  view.editor.cancel();
  view.set("tool", tool);
  if (tool === "move") view.store.lift();
  view.invalidate();
}

/** One stop for Tab, arrow keys inside: the toolbar pattern of the ARIA practices. */
function rove(element: HTMLElement): void {
  const buttons = [...element.querySelectorAll("button")];
  buttons.forEach((button, index) => {
    button.tabIndex = index ? -1 : 0;
  });
  element.addEventListener("focusin", (event) => {
    for (const button of buttons) button.tabIndex = button === event.target ? 0 : -1;
  });
  element.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const enabled = buttons.filter((button) => !button.disabled);
    const at = enabled.indexOf(event.target as HTMLButtonElement);
    enabled[(at + step + enabled.length) % enabled.length]?.focus();
    event.preventDefault();
  });
}
