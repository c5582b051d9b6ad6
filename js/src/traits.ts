import type { AnyModel } from "@anywidget/types";
import type { Mode } from "./mask";

/** Raw bytes as the widget manager hands them over. */
export type Bytes = DataView | Uint8Array;

/** `size` is height and width, `lo` and `hi` the suggested window of each channel. */
export interface ImageWire {
  readonly id: number;
  readonly shape: readonly [number, number, number];
  readonly dtype: "uint8" | "uint16" | "float32";
  readonly offset: number;
  readonly lo: readonly number[];
  readonly hi: readonly number[];
  readonly data: Bytes;
  /** Plane and index of a slice, empty for a picture that is no part of a volume. */
  readonly place: string;
}

export interface MaskWire {
  readonly shape: readonly [number, number];
  readonly data: Bytes;
}

/** A region kept under a name. */
export interface NamedWire extends MaskWire {
  readonly name: string;
  readonly color: string;
  readonly visible: boolean;
}

/** Effects per patch, points; NaN on patches that touch the region. */
export interface EffectWire {
  readonly id: number;
  readonly generation: number;
  readonly shape: readonly [number, number];
  readonly patch_size: number;
  readonly limit: number;
  readonly effect: Bytes;
  readonly stderr: Bytes;
  readonly samples: Bytes;
  readonly significant: Bytes;
}

export const TOOLS = [
  "inspect",
  "move",
  "box",
  "ellipse",
  "polygon",
  "lasso",
  "brush",
  "eraser",
  "pick",
  "window",
] as const;
export type Tool = (typeof TOOLS)[number];

/** Everything that both sides see; local state of a view lives in the view. */
export type Traits = {
  image: ImageWire | null;
  region: MaskWire | null;
  regions: readonly NamedWire[];
  active: string;
  prediction: MaskWire | null;
  truth: MaskWire | null;
  /** 16 bits each, 65535 for certain. */
  probability: MaskWire | null;
  effect: EffectWire | null;
  patch: [number, number] | null;
  patch_size: number;
  spacing: [number, number] | null;
  tool: Tool;
  mode: Mode;
  brush_size: number;
  snap: boolean;
  target_patches: number;
  live: boolean;
  drawing: boolean;
  window: [number, number] | null;
  channel: number;
  smooth: boolean;
  opacity: number;
  colormap: string;
  limit: number;
  significant: boolean;
  show_region: boolean;
  show_prediction: boolean;
  show_truth: boolean;
  show_notes: boolean;
  show_grid: boolean;
  show_crosshair: boolean;
  show_scale: boolean;
  contour_opacity: number;
  view: [number, number, number];
  cursor: [number, number] | null;
  max_height: number;
  label: string;
  layer_models: string[];
  layer_names: string[];
  /** Of volumes only. */
  plane?: Plane;
  index?: number;
  count?: number;
  letters?: Letters;
};

export const PLANES = ["axial", "coronal", "sagittal"] as const;
export type Plane = (typeof PLANES)[number];

/** Directions of the patient at the top, bottom, left and right of the picture. */
export type Letters = [string, string, string, string];

/** What a volume has more than a single picture. */
export const VOLUME_TRAIT_NAMES = ["plane", "index", "count", "letters"] as const;

/** The names, for the test that compares them with the Python side. */
export const TRAIT_NAMES = [
  "image",
  "region",
  "regions",
  "active",
  "prediction",
  "truth",
  "probability",
  "effect",
  "patch",
  "patch_size",
  "spacing",
  "tool",
  "mode",
  "brush_size",
  "snap",
  "target_patches",
  "live",
  "drawing",
  "window",
  "channel",
  "smooth",
  "opacity",
  "colormap",
  "limit",
  "significant",
  "show_region",
  "show_prediction",
  "show_truth",
  "show_notes",
  "show_grid",
  "show_crosshair",
  "show_scale",
  "contour_opacity",
  "view",
  "cursor",
  "max_height",
  "label",
  "layer_models",
  "layer_names",
] as const satisfies readonly (keyof Traits)[];

export type Model = AnyModel<Traits>;
