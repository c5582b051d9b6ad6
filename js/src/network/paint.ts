import { colorTable } from "../colormap";

/** Effect and standard error per kind; null where they are not known yet. */
export type Effects = Readonly<
  Record<string, readonly (readonly [number | null, number | null])[]>
>;

const WHITE = 255;

/** Largest size of an effect; 1 when there is none to scale by. */
export function ownLimit(effects: Effects): number {
  const sizes = Object.values(effects)
    .flat()
    .map(([effect]) => Math.abs(effect ?? 0));
  return Math.max(0, ...sizes) || 1;
}

/** Place of an effect on the colour scale, -1..1. A logarithmic scale is linear below one point. */
export function place(effect: number, limit: number, scale: string): number {
  const share = Math.max(-1, Math.min(1, effect / limit));
  if (scale !== "log") return share;
  return (Math.sign(share) * Math.log1p(Math.abs(share) * limit)) / Math.log1p(limit);
}

/** CSS colour of an effect, null where there is none yet. */
export function effectColor(
  effect: number,
  limit: number,
  table: Uint8Array,
  scale = "linear",
): string | null {
  if (!Number.isFinite(effect)) return null;
  const middle = (table.length / 3 - 1) / 2;
  const share = place(effect, limit, scale);
  const [r, g, b] = table.subarray(3 * Math.round(middle + share * middle));
  return `rgb(${r}, ${g}, ${b})`;
}

/** Black or white, whichever is read more easily on a colour. */
export function inkOn(color: string | null): string {
  if (color === null) return "";
  const [r, g, b] = color.match(/\d+/g)!.map((part) => linear(Number(part)));
  const luminance = 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  return luminance > 0.179 ? "#000" : "#fff";
}

function linear(value: number): number {
  const share = value / WHITE;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}

const tables = new Map<string, Uint8Array>();

/** Colour table of a name, made once. */
export function tableOf(name: string): Uint8Array {
  const table = tables.get(name) ?? colorTable(name);
  tables.set(name, table);
  return table;
}
