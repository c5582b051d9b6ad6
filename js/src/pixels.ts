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
  const pixels = new Uint8ClampedArray(size * 4);
  const gain = 255 / Math.max(window[1] - window[0], 1e-12);
  const base = (picture.offset - window[0]) * gain;
  const values = picture.values.subarray(Math.max(channel, 0) * size);
  const words = new Uint32Array(pixels.buffer);
  if (channel < 0) renderColor(values, size, gain, base, pixels);
  else if (values instanceof Float32Array) renderFloats(values, gain, base, words);
  else renderWhole(values, gain, base, words);
  return pixels;
}

/** Every few rows and columns of a picture, about `most` pixels: enough while something is dragged. */
export function coarse(picture: Picture, most: number): Picture {
  const step = Math.ceil(Math.sqrt((picture.height * picture.width) / most));
  if (step < 2) return picture;
  const height = Math.ceil(picture.height / step);
  const width = Math.ceil(picture.width / step);
  const values = new (picture.values.constructor as typeof Float32Array)(
    picture.channels * height * width,
  );
  let at = 0;
  for (let channel = 0; channel < picture.channels; channel++) {
    for (let row = 0; row < height; row++) {
      const start = (channel * picture.height + row * step) * picture.width;
      for (let column = 0; column < width; column++) {
        values[at++] = picture.values[start + column * step]!;
      }
    }
  }
  return { ...picture, height, width, values };
}

/** Bytes red, green, blue and opacity as one number, in the order of this machine. */
function wordOf(red: number, green: number, blue: number): number {
  return new Uint32Array(Uint8Array.of(red, green, blue, 255).buffer)[0]!;
}

const greys = Uint32Array.from({ length: 256 }, (_, level) => wordOf(level, level, level));
const missing = wordOf(...NOT_A_NUMBER);

/** A level of 0..255; zero for what is not a number. */
const level = (value: number): number => (value > 0 ? (value < 255 ? (value + 0.5) | 0 : 255) : 0);

/** Every value that a whole number can take is looked up in a table. */
function renderWhole(
  values: Uint8Array | Uint16Array,
  gain: number,
  base: number,
  words: Uint32Array,
): void {
  const table = new Uint32Array(values instanceof Uint8Array ? 256 : 65536);
  for (let i = 0; i < table.length; i++) table[i] = greys[level(i * gain + base)]!;
  for (let i = 0; i < words.length; i++) words[i] = table[values[i]!]!;
}

function renderFloats(values: Float32Array, gain: number, base: number, words: Uint32Array): void {
  for (let i = 0; i < words.length; i++) {
    const value = values[i]!;
    words[i] = Number.isNaN(value) ? missing : greys[level(value * gain + base)]!;
  }
}

function renderColor(
  values: Picture["values"],
  size: number,
  gain: number,
  base: number,
  pixels: Uint8ClampedArray,
): void {
  for (let i = 0; i < size; i++) {
    const at = 4 * i;
    for (let c = 0; c < 3; c++) {
      const value = values[c * size + i]!;
      pixels[at + c] = Number.isNaN(value) ? NOT_A_NUMBER[c]! : level(value * gain + base);
    }
    pixels[at + 3] = 255;
  }
}
