import type { AnyModel } from "@anywidget/types";
import type { EffectWire, ImageWire, MaskWire } from "../traits";
import type { Place } from "./places";

export type StageTraits = {
  image: ImageWire | null;
  region: MaskWire | null;
  prediction: MaskWire | null;
  original: MaskWire | null;
  truth: MaskWire | null;
  effect: EffectWire | null;
  patch_size: number;
  mode: "drag" | "tap" | "still";
  /** First pixel of the dragged patch, and what it shows. */
  place: Place | null;
  paste: ImageWire | null;
  chosen: readonly Place[];
  most: number;
  numbered: boolean;
  colormap: string;
  opacity: number;
  max_height: number;
  label: string;
};

/** The names, for the test that compares them with the Python side. */
export const STAGE_TRAITS = [
  "image",
  "region",
  "prediction",
  "original",
  "truth",
  "effect",
  "patch_size",
  "mode",
  "place",
  "paste",
  "chosen",
  "most",
  "numbered",
  "colormap",
  "opacity",
  "max_height",
  "label",
] as const satisfies readonly (keyof StageTraits)[];

export type StageModel = AnyModel<StageTraits>;
