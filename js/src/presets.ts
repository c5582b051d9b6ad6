import type { Picture } from "./wire";

export interface Preset {
  readonly name: string;
  /** Intensities shown as black and white; null for the picture's own quantiles. */
  readonly window: readonly [number, number] | null;
}

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
  if (low > HOUNSFIELD_FLOOR) return [automatic, full];
  const tables = CT.map(([name, width, centre]): Preset => {
    return { name, window: [centre - width / 2, centre + width / 2] };
  });
  return [automatic, full, ...tables];
}

const known = new WeakMap<Picture, readonly [number, number]>();

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
