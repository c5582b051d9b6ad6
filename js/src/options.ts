import { fillHoles, grow } from "./actions";
import type { CanvasView } from "./canvas_view";
import { fixed, number, type Part, row, select, slider } from "./controls";
import { assign, h, iconButton, write } from "./dom";
import type { Box } from "./geometry";
import type { Mode } from "./mask";
import { presets } from "./presets";
import type { Tool } from "./traits";

const MODES: readonly (readonly [Mode, string])[] = [
  ["replace", "New region"],
  ["add", "Add to the region (Shift)"],
  ["subtract", "Subtract from the region (Alt)"],
  ["intersect", "Intersect with the region (Shift+Alt)"],
];

const SHAPES: readonly Tool[] = ["box", "ellipse", "polygon", "lasso", "pick"];

/** The row under the toolbar: what the chosen tool can be told. */
export function options(view: CanvasView): Part {
  const parts: readonly (readonly [readonly Tool[], Part])[] = [
    [["inspect"], fixed(h("span", { class: "pdcr-hint" }, "Click a patch to inspect it"))],
    [["window"], windowPresets(view)],
    [SHAPES, modes(view)],
    [["pick"], pickHint(view)],
    [["box", "ellipse"], row("pdcr-snap", snap(view), square(view))],
    [["box", "ellipse"], sides(view)],
    [["brush", "eraser"], brushSize(view)],
    [["brush", "eraser", "move", "pick", "lasso", "polygon"], operations(view)],
  ];
  const element = h("div", { class: "pdcr-options" }, ...parts.map(([, part]) => part.element));
  return {
    element,
    refresh() {
      const tool = view.model.get("tool");
      for (const [tools, part] of parts) {
        part.element.hidden = !tools.includes(tool);
        if (!part.element.hidden) part.refresh();
      }
    },
  };
}

function pickHint(view: CanvasView): Part {
  const text = h("span", { class: "pdcr-hint" });
  return {
    element: text,
    refresh() {
      const any = view.editor.pickable;
      write(text, any ? "Click inside a contour" : "No prediction or truth shown to pick from");
    },
  };
}

function modes(view: CanvasView): Part {
  const buttons = MODES.map(([mode, label]) => {
    const button = iconButton(mode, label);
    button.addEventListener("click", () => view.set("mode", mode));
    return [mode, button] as const;
  });
  const attributes = { class: "pdcr-group", role: "group", "aria-label": "How a drawing combines" };
  return {
    element: h("div", attributes, ...buttons.map(([, button]) => button)),
    refresh() {
      for (const [mode, button] of buttons) {
        assign(button, "aria-pressed", String(view.model.get("mode") === mode));
      }
    },
  };
}

function snap(view: CanvasView): Part {
  const button = iconButton("snap", "Snap to the patch grid: one click takes a square", "S");
  button.addEventListener("click", () => view.set("snap", !view.model.get("snap")));
  return {
    element: button,
    refresh: () => assign(button, "aria-pressed", String(view.model.get("snap"))),
  };
}

/** The side of the square that a click takes; there while boxes snap. */
function square(view: CanvasView): Part {
  const part = number({
    label: "Patches",
    title: "Patches a side of the square that a click takes",
    step: "1",
    min: "1",
    max: "64",
    get: () => view.model.get("target_patches"),
    set: (value) => view.set("target_patches", value),
  });
  return {
    element: part.element,
    refresh() {
      part.element.hidden = !view.model.get("snap");
      part.refresh();
    },
  };
}

function brushSize(view: CanvasView): Part {
  const text = (value: number) => `${value} px`;
  return slider(view, "brush_size", "Size", { min: 1, max: 99, step: 1, text });
}

function operations(view: CanvasView): Part {
  const entries = [
    [iconButton("fill", "Fill holes", "F"), () => fillHoles(view)],
    [iconButton("grow", "Grow by a pixel", ">"), () => grow(view, true)],
    [iconButton("shrink", "Shrink by a pixel", "<"), () => grow(view, false)],
  ] as const;
  for (const [button, action] of entries) button.addEventListener("click", action);
  return fixed(
    h("div", { class: "pdcr-group", role: "group" }, ...entries.map(([button]) => button)),
  );
}

/** The bounding box of the region as four numbers; typing one draws that box, or all four a first. */
function sides(view: CanvasView): Part {
  let typed: Partial<Box> = {};
  const take = (name: keyof Box, value: number) => {
    typed = { ...(view.regionBox ?? typed), [name]: value };
    const { top, left, height, width } = typed;
    if (top === undefined || left === undefined || !height || !width) return;
    view.drawBox({ top, left, height, width });
    typed = {};
  };
  const field = (label: string, name: keyof Box) =>
    number({
      label,
      step: "1",
      min: name === "height" || name === "width" ? "1" : "0",
      open: true,
      get: () => (view.regionBox ?? typed)[name] ?? null,
      set: (value) => take(name, value),
    });
  return row(
    "pdcr-sides",
    field("Top", "top"),
    field("Left", "left"),
    field("Height", "height"),
    field("Width", "width"),
  );
}

function windowPresets(view: CanvasView): Part {
  const chosen = () => {
    const window = view.model.get("window");
    const found = presets(view.sources.picture).find(
      (preset) => JSON.stringify(preset.window) === JSON.stringify(window),
    );
    return found?.name ?? "Custom";
  };
  return select({
    label: "Window",
    choices: () => {
      const names = presets(view.sources.picture).map(({ name }) => name);
      return [...names, "Custom"].map((name) => ({ value: name, label: name }));
    },
    get: chosen,
    set: (name) => {
      const preset = presets(view.sources.picture).find((each) => each.name === name);
      if (preset) view.set("window", preset.window && [...preset.window]);
    },
  });
}
