import type { Traits } from "../traits";

type Shown =
  | "image"
  | "region"
  | "prediction"
  | "truth"
  | "effect"
  | "patch_size"
  | "spacing"
  | "colormap"
  | "limit"
  | "label"
  | "layer_models"
  | "layer_names";

/** What a figure leaves as the canvas has it in a notebook. */
export const DEFAULTS: Omit<Traits, Shown> = {
  regions: [],
  active: "",
  probability: null,
  patch: null,
  tool: "inspect",
  mode: "replace",
  brush_size: 9,
  snap: false,
  target_patches: 1,
  live: false,
  drawing: false,
  show_crosshair: false,
  window: null,
  channel: -1,
  smooth: true,
  opacity: 0.7,
  significant: false,
  show_region: true,
  show_prediction: true,
  show_truth: true,
  show_notes: true,
  show_grid: false,
  show_scale: true,
  contour_opacity: 1,
  view: [1, 0.5, 0.5],
  cursor: null,
  max_height: 640,
};

/** Traits that a page without a kernel keeps: there is nothing to draw a region for. */
export const FIXED: ReadonlySet<string> = new Set(["tool", "mode", "region", "live", "snap"]);
