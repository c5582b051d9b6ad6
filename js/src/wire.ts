import { packBits, unpackBits } from "./bits";
import { Mask } from "./mask";
import type { Bytes, EffectWire, ImageWire, MaskWire } from "./traits";

/** One slice: channels first, values as they are in Python. */
export interface Picture {
  readonly id: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly values: Uint8Array | Uint16Array | Float32Array;
  readonly offset: number;
  readonly lo: readonly number[];
  readonly hi: readonly number[];
}

export interface EffectMap {
  readonly id: number;
  readonly generation: number;
  readonly rows: number;
  readonly columns: number;
  readonly patchSize: number;
  readonly limit: number;
  readonly effect: Float32Array;
  readonly stderr: Float32Array;
  readonly samples: Int32Array;
  readonly significant: Uint8Array;
}

const ARRAYS = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array };

/** A buffer of its own: what arrives may start at an offset that typed arrays refuse. */
function buffer(bytes: Bytes): ArrayBuffer {
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.slice().buffer;
}

export function readImage(wire: Omit<ImageWire, "place">): Picture {
  const [channels, height, width] = wire.shape;
  const values = new ARRAYS[wire.dtype](buffer(wire.data));
  const { id, offset, lo, hi } = wire;
  return { id, channels, height, width, values, offset, lo, hi };
}

export function readMask(wire: MaskWire): Mask {
  const [height, width] = wire.shape;
  return new Mask(height, width, unpackBits(new Uint8Array(buffer(wire.data)), height * width));
}

export function writeMask(mask: Mask): MaskWire {
  return {
    shape: [mask.height, mask.width],
    data: new DataView(packBits(mask.data).buffer as ArrayBuffer),
  };
}

export function readProbability(wire: MaskWire): Uint16Array {
  return new Uint16Array(buffer(wire.data));
}

export function readEffect(wire: EffectWire): EffectMap {
  const [rows, columns] = wire.shape;
  return {
    id: wire.id,
    generation: wire.generation,
    rows,
    columns,
    patchSize: wire.patch_size,
    limit: wire.limit,
    effect: new Float32Array(buffer(wire.effect)),
    stderr: new Float32Array(buffer(wire.stderr)),
    samples: new Int32Array(buffer(wire.samples)),
    significant: new Uint8Array(buffer(wire.significant)),
  };
}

/** The stored value of a pixel in the image's own units. */
export function intensity(picture: Picture, channel: number, row: number, column: number): number {
  const index = (channel * picture.height + row) * picture.width + column;
  return picture.values[index]! + picture.offset;
}
