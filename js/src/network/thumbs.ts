import type { Bytes } from "../traits";

/** Grey pictures of one size, `(count, height, width)` bytes. */
export interface ThumbsWire {
  readonly shape: readonly [number, number, number];
  readonly data: Bytes;
}

export function thumbs(wire: ThumbsWire | null): ImageData[] {
  if (wire === null) return [];
  const [count, height, width] = wire.shape;
  const bytes = new Uint8Array(wire.data.buffer, wire.data.byteOffset, wire.data.byteLength);
  const size = height * width;
  return Array.from(
    { length: count },
    (_, i) => new ImageData(grey(bytes.subarray(i * size, (i + 1) * size)), width, height),
  );
}

/** Opaque RGBA of grey values. */
export function grey(values: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * values.length);
  values.forEach((value, i) => {
    pixels.set([value, value, value, 255], 4 * i);
  });
  return pixels;
}
