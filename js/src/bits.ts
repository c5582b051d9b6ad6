/** Booleans as packed bits, first pixel in the highest bit: the order of `numpy.packbits`. */

export function packBits(values: Uint8Array): Uint8Array {
  const packed = new Uint8Array((values.length + 7) >> 3);
  // Most of a large mask is empty: from one pixel that is set to the next.
  for (let i = values.indexOf(1); i >= 0; ) {
    packed[i >> 3]! |= 0x80 >> (i & 7);
    i = values[i + 1] ? i + 1 : values.indexOf(1, i + 1);
  }
  return packed;
}

export function unpackBits(packed: Uint8Array, length: number): Uint8Array {
  if (packed.length < (length + 7) >> 3) {
    throw new RangeError(`${length} bits need ${(length + 7) >> 3} bytes, got ${packed.length}`);
  }
  const values = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const byte = packed[i >> 3]!;
    if (byte === 0) i |= 7;
    else values[i] = (byte >> (7 - (i & 7))) & 1;
  }
  return values;
}
