import type { CanvasView } from "./canvas_view";
import type { Part } from "./controls";
import { assign, h, iconButton } from "./dom";
import type { IconName } from "./icons";
import { REGION_KEYS, type Shortcut, TOOL_KEYS } from "./shortcuts";
import type { Tool } from "./traits";

const GROUPS: readonly (readonly Shortcut[])[] = [TOOL_KEYS.slice(0, 2), TOOL_KEYS.slice(2)];

/** One row of buttons; the arrow keys move between them, Tab leaves. */
export function toolbar(view: CanvasView, actions: readonly HTMLElement[], id: string): Part {
  const tools = new Map<string, HTMLButtonElement>();
  const groups = GROUPS.map((group) => {
    const buttons = group.map((shortcut) => {
      const name = shortcut.tool as Tool;
      const button = actionButton(view, name, shortcut);
      tools.set(name, button);
      return button;
    });
    return h("div", { class: "pdcr-group", role: "group" }, ...buttons);
  });
  const undo = actionButton(view, "undo", REGION_KEYS[0]!);
  const redo = actionButton(view, "redo", REGION_KEYS[1]!);
  const clear = actionButton(view, "clear", REGION_KEYS[2]!);
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
        assign(button, "aria-pressed", String(tool === chosen));
      }
      undo.disabled = !view.store.canUndo && !view.editor.active;
      redo.disabled = !view.store.canRedo;
      clear.disabled = view.regionBox === null;
    },
  };
}

function actionButton(view: CanvasView, name: IconName, shortcut: Shortcut): HTMLButtonElement {
  const button = iconButton(name, shortcut.words, shortcut.shown);
  button.addEventListener("click", () => shortcut.run(view));
  return button;
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
