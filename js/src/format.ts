/** Numbers as people read them. */

const MINUS = "\u2212";
const THIN_SPACE = "\u202f";

/** Points with their sign: two decimals, or three digits below one. */
export function signed(value: number): string {
  const size = Math.abs(value);
  const text = size === 0 ? "0" : size >= 0.1 ? size.toFixed(2) : size.toPrecision(2);
  return value < 0 ? `${MINUS}${text}` : value > 0 ? `+${text}` : text;
}

/** An effect with its standard error, and the draws behind it. */
export function effectText(effect: number, stderr: number, samples: number): string {
  if (Number.isNaN(effect)) return "in the region";
  const points = `${signed(effect)} points`;
  if (samples === 0 && effect === 0) return "no effect possible";
  if (!(stderr > 0)) return `${points} (exact)`;
  const error = stderr >= 0.01 ? stderr.toFixed(2) : stderr.toPrecision(1);
  return `${signed(effect)} \u00b1 ${error} points, ${samples} ${samples === 1 ? "draw" : "draws"}`;
}

/** An intensity with about four digits. */
export function intensityText(value: number): string {
  if (Number.isNaN(value)) return "not a number";
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e6))
    return value.toExponential(2).replace("-", MINUS);
  const digits = Number.isInteger(value)
    ? 0
    : size >= 1000
      ? 1
      : size >= 100
        ? 1
        : size >= 1
          ? 2
          : 3;
  return value.toFixed(digits).replace("-", MINUS);
}

export function limitText(limit: number): string {
  return String(Number(limit.toPrecision(3)));
}

export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
}

/** The longest of 1, 2, 5 x 10^n millimetres that fits into the room (mm). */
export function scaleBarLength(room: number): number {
  const power = 10 ** Math.floor(Math.log10(room));
  const factor = [5, 2, 1].find((step) => step * power <= room) ?? 1;
  return factor * power;
}

export function lengthText(millimetres: number): string {
  if (millimetres >= 10) return `${Number((millimetres / 10).toPrecision(3))} cm`;
  if (millimetres >= 0.1) return `${Number(millimetres.toPrecision(3))} mm`;
  return `${Number((millimetres * 1000).toPrecision(3))} \u00b5m`;
}
