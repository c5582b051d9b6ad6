import type { Picture } from "./wire";

export interface Preset {
  readonly name: string;
  /** Intensities shown as black and white; null for the picture's own quantiles. */
  readonly window: readonly [number, number] | null;
}

/** Shares of pixels, in percent, that a window leaves darker and brighter: for MR, without units. */
const PERCENTILES: readonly (readonly [number, number])[] = [
  [1, 99],
  [5, 95],
];

/** Width and centre in Hounsfield units, as radiologists give them. */
const CT: readonly (readonly [string, number, number])[] = [
  ["CT brain", 80, 40],
  ["CT abdomen", 400, 50],
  ["CT lung", 1500, -600],
  ["CT bone", 1800, 400],
];

/** Air in Hounsfield units is about -1000; no other usual unit goes below this. */
const HOUNSFIELD_FLOOR = -200;

/** The windows worth offering for a picture; those of CT only where its values look like CT. */
export function presets(picture: Picture | null): readonly Preset[] {
  const automatic: Preset = { name: "Automatic", window: null };
  if (!picture) return [automatic];
  const [low, high] = extremes(picture);
  const full: Preset = { name: "Full range", window: [low, high > low ? high : low + 1] };
  const general = [automatic, ...shares(picture), full];
  if (Math.min(low, ...picture.lo) > HOUNSFIELD_FLOOR) return general;
  const tables = CT.map(([name, width, centre]): Preset => {
    return { name, window: [centre - width / 2, centre + width / 2] };
  });
  return [...general, ...tables];
}

const known = new WeakMap<Picture, readonly [number, number]>();
const ranked = new WeakMap<Picture, readonly Preset[]>();

/** Values looked at for percentiles: of a large picture, some that are evenly spread. */
const LOOKED_AT = 65_536;

function shares(picture: Picture): readonly Preset[] {
  const found = ranked.get(picture);
  if (found) return found;
  const step = Math.ceil(picture.values.length / LOOKED_AT);
  const values = Float64Array.from(
    { length: Math.floor((picture.values.length - 1) / step) + 1 },
    (_, index) => picture.values[index * step]! + picture.offset,
  )
    .filter((value) => !Number.isNaN(value))
    .sort();
  const at = (percent: number) => values[Math.round((percent / 100) * (values.length - 1))] ?? 0;
  const made = PERCENTILES.map(([low, high]): Preset => {
    return { name: `Percentiles ${low} to ${high}`, window: [at(low), at(high)] };
  }).filter(({ window }) => window && window[0] < window[1]);
  ranked.set(picture, made);
  return made;
}

function extremes(picture: Picture): readonly [number, number] {
  const found = known.get(picture);
  if (found) return found;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of picture.values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const finite = low <= high;
  const range = [finite ? low + picture.offset : 0, finite ? high + picture.offset : 1] as const;
  known.set(picture, range);
  return range;
}
