import type { Picture } from "./wire";

/** Pixels that are not numbers are drawn in this colour, which no grey picture has. */
const NOT_A_NUMBER = [96, 48, 96] as const;

export type Window = readonly [number, number];

/** The window that shows a channel (-1: all three as colour) when the user has chosen none. */
export function suggestedWindow(picture: Picture, channel: number): Window {
  if (channel >= 0) return [picture.lo[channel]!, picture.hi[channel]!];
  return [Math.min(...picture.lo), Math.max(...picture.hi)];
}

/** RGBA of one channel as grey, or of the first three as colour. */
export function renderPicture(
  picture: Picture,
  channel: number,
  window: Window,
): Uint8ClampedArray<ArrayBuffer> {
  const size = picture.height * picture.width;
  const pixels = new Uint8ClampedArray(size * 4).fill(255);
  const gain = 255 / Math.max(window[1] - window[0], 1e-12);
  const base = (picture.offset - window[0]) * gain;
  const { values } = picture;
  const colour = channel < 0;
  for (let c = 0; c < 3; c++) {
    const start = colour ? c * size : channel * size;
    for (let i = 0; i < size; i++) {
      const value = values[start + i]! * gain + base;
      pixels[4 * i + c] = Number.isNaN(value) ? NOT_A_NUMBER[c]! : value;
    }
  }
  return pixels;
}
