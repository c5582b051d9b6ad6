/** Colours of effects: negative first (supports), white in the middle, positive last (harms). */

export const COLORMAPS: Readonly<Record<string, readonly string[]>> = {
  "red-blue": [
    "#67001f",
    "#b2182b",
    "#d6604d",
    "#f4a582",
    "#fddbc7",
    "#ffffff",
    "#d1e5f0",
    "#92c5de",
    "#4393c3",
    "#2166ac",
    "#053061",
  ],
  "orange-purple": [
    "#7f3b08",
    "#b35806",
    "#e08214",
    "#fdb863",
    "#fee0b6",
    "#ffffff",
    "#d8daeb",
    "#b2abd2",
    "#8073ac",
    "#542788",
    "#2d004b",
  ],
};

const STEPS = 511;

/** 511 RGB triples from the most negative to the most positive; the one in the middle is white. */
export function colorTable(name: string): Uint8Array {
  const stops = (COLORMAPS[name] ?? COLORMAPS["red-blue"]!).map(rgb);
  const table = new Uint8Array(STEPS * 3);
  for (let i = 0; i < STEPS; i++) {
    const at = (i / (STEPS - 1)) * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2);
    for (let c = 0; c < 3; c++) {
      const from = stops[low]![c]!;
      const to = stops[low + 1]![c]!;
      table[3 * i + c] = Math.round(from + (to - from) * (at - low));
    }
  }
  return table;
}

function rgb(hex: string): [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** How opaque an effect is drawn: none is clear, half of the limit and more is in full colour. */
export function strength(effect: number, limit: number): number {
  return Math.min(1, (2 * Math.abs(effect)) / limit);
}

/** Patches that touch the region: its colour, faintly. */
const TOUCHED = [255, 214, 10, 36] as const;

/** RGBA per patch. Patches that touch the region (not a number) get its tint; what the mask hides stays clear. */
export function colorEffects(
  effect: Float32Array,
  limit: number,
  table: Uint8Array,
  shown: Uint8Array | null,
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(effect.length * 4);
  const middle = (STEPS - 1) / 2;
  for (let i = 0; i < effect.length; i++) {
    const value = effect[i]!;
    if (Number.isNaN(value)) pixels.set(TOUCHED, 4 * i);
    if (Number.isNaN(value) || limit <= 0 || (shown && !shown[i])) continue;
    const t = Math.max(-1, Math.min(1, value / limit));
    const index = 3 * Math.round(middle + t * middle);
    pixels[4 * i] = table[index]!;
    pixels[4 * i + 1] = table[index + 1]!;
    pixels[4 * i + 2] = table[index + 2]!;
    pixels[4 * i + 3] = Math.round(255 * strength(value, limit));
  }
  return pixels;
}
