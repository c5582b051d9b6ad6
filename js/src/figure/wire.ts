import type { EffectWire, ImageWire, MaskWire } from "../traits";

/** One bar: a layer, or channels of one. Numbers that are none are null. */
export interface Bar {
  readonly name: string;
  readonly effect: number | null;
  readonly stderr: number | null;
  readonly samples: number;
}

export interface LayersWire {
  readonly base: number;
  readonly replaced: string;
  readonly bars: readonly Bar[];
  /** Channels of a layer, by its name. */
  readonly channels: Readonly<Record<string, readonly Bar[]>>;
}

/** One map: of a region, with patches of one size. */
export interface MapWire {
  readonly region: number;
  readonly effect: EffectWire;
  readonly facts: readonly string[];
}

export interface RegionWire {
  readonly name: string;
  readonly mask: MaskWire;
  readonly layers: LayersWire | null;
}

/** Everything that a figure without a kernel shows. */
export interface FigureWire {
  readonly title: string;
  readonly image: ImageWire;
  readonly prediction: MaskWire | null;
  readonly truth: MaskWire | null;
  readonly spacing: readonly [number, number] | null;
  readonly colormap: string;
  readonly regions: readonly RegionWire[];
  readonly maps: readonly MapWire[];
}

/** Reads JSON in which bytes are objects `{"base64": "..."}`. */
export function readFigure(text: string): FigureWire {
  return JSON.parse(text, (_key, value) =>
    value !== null && typeof value === "object" && typeof value.base64 === "string"
      ? bytes(value.base64)
      : value,
  ) as FigureWire;
}

function bytes(text: string): Uint8Array {
  const characters = atob(text);
  return Uint8Array.from(characters, (character) => character.charCodeAt(0));
}
