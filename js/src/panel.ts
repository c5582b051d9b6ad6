import type { CanvasView } from "./canvas_view";
import { COLORMAPS } from "./colormap";
import { check, fixed, number, type Part, row, select, slider } from "./controls";
import { h } from "./dom";
import { REGION_COLOR } from "./scene";

const percent = (value: number) => `${Math.round(100 * value)} %`;
const SHARE = { min: 0, max: 1, step: 0.05, text: percent };

/** How things are shown: opens over the picture, at the button that opens it. */
export function panel(view: CanvasView): Part {
  const part = row(
    "pdcr-panel",
    title("Effect map"),
    select({
      label: "Colours",
      choices: () => Object.keys(COLORMAPS).map((name) => ({ value: name, label: words(name) })),
      get: () => view.model.get("colormap"),
      set: (name) => view.set("colormap", name),
    }),
    limits(view),
    check(view, "significant", "Only significant effects"),
    check(view, "show_grid", "Patch grid"),
    title("Contours"),
    check(view, "show_region", "Region", REGION_COLOR),
    check(view, "show_prediction", "Prediction", "#22d3ee"),
    check(view, "show_truth", "Truth (dashed)", "#4ade80"),
    check(view, "show_notes", "Notes"),
    check(view, "show_crosshair", "Crosshair"),
    slider(view, "contour_opacity", "Opacity", SHARE),
    title("Picture"),
    channels(view),
    windowEnds(view),
    check(view, "smooth", "Smooth between pixels"),
  );
  part.element.setAttribute("role", "group");
  part.element.setAttribute("aria-label", "Display");
  return part;
}

export const opacity = (view: CanvasView): Part => slider(view, "opacity", "Map", SHARE);

const title = (text: string): Part => fixed(h("h3", {}, text));

const words = (name: string): string => name.replace("-", " to ");

/** The limits of the colour scale: the map's own, or locked to a number. */
function limits(view: CanvasView): Part {
  const input = h("input", { type: "checkbox" });
  input.addEventListener("change", () => {
    view.set("limit", input.checked ? view.sources.limit : 0);
  });
  const locked = h("label", { class: "pdcr-check" }, input, h("span", {}, "Lock limits"));
  const value = number({
    label: "points",
    min: "0.01",
    get: () => view.model.get("limit") || null,
    set: (limit) => view.set("limit", limit),
  });
  return row(
    "pdcr-limits",
    {
      element: locked,
      refresh() {
        input.checked = view.model.get("limit") > 0;
      },
    },
    value,
  );
}

function channels(view: CanvasView): Part {
  const part = select({
    label: "Channel",
    choices: () => {
      const count = view.sources.picture?.channels ?? 1;
      const single = Array.from({ length: count }, (_, index) => ({
        value: String(index),
        label: String(index + 1),
      }));
      return count === 3 ? [{ value: "-1", label: "Colour" }, ...single] : single;
    },
    get: () => String(view.sources.channel),
    set: (value) => view.set("channel", Number(value)),
  });
  return {
    element: part.element,
    refresh() {
      part.element.hidden = (view.sources.picture?.channels ?? 1) < 2;
      part.refresh();
    },
  };
}

function windowEnds(view: CanvasView): Part {
  const rounded = (value: number) => Number(value.toPrecision(4));
  const end = (label: string, index: 0 | 1) =>
    number({
      label,
      get: () => rounded(view.sources.window[index]),
      set: (value) => {
        const [low, high] = view.sources.window;
        const window: [number, number] = index === 0 ? [value, high] : [low, value];
        if (window[0] < window[1]) view.set("window", window);
      },
    });
  return row("pdcr-window", end("Black", 0), end("White", 1));
}
