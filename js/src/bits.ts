/** Booleans as packed bits, first pixel in the highest bit: the order of `numpy.packbits`. */

export function packBits(values: Uint8Array): Uint8Array {
  const packed = new Uint8Array((values.length + 7) >> 3);
  for (let i = 0; i < values.length; i++) {
    if (values[i]) packed[i >> 3]! |= 0x80 >> (i & 7);
  }
  return packed;
}

export function unpackBits(packed: Uint8Array, length: number): Uint8Array {
  if (packed.length < (length + 7) >> 3) {
    throw new RangeError(`${length} bits need ${(length + 7) >> 3} bytes, got ${packed.length}`);
  }
  const values = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    values[i] = (packed[i >> 3]! >> (7 - (i & 7))) & 1;
  }
  return values;
}
