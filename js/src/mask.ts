import type { Box } from "./geometry";

export type Mode = "replace" | "add" | "subtract" | "intersect";

/** A boolean picture, one byte per pixel, rows first. */
export class Mask {
  constructor(
    readonly height: number,
    readonly width: number,
    readonly data: Uint8Array = new Uint8Array(height * width),
  ) {
    if (data.length !== height * width) {
      throw new RangeError(`a ${height} x ${width} mask needs ${height * width} values`);
    }
  }

  copy(): Mask {
    return new Mask(this.height, this.width, this.data.slice());
  }

  at(row: number, column: number): boolean {
    if (row < 0 || column < 0 || row >= this.height || column >= this.width) return false;
    return this.data[row * this.width + column] === 1;
  }

  count(): number {
    let sum = 0;
    for (const value of this.data) sum += value;
    return sum;
  }

  equals(other: Mask): boolean {
    if (this.height !== other.height || this.width !== other.width) return false;
    const a = this.data;
    const b = other.data;
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
    return true;
  }

  /** The bounding box of the pixels that are set, null when there are none. */
  box(): Box | null {
    let top = -1;
    let bottom = -1;
    let left = this.width;
    let right = -1;
    for (let row = 0; row < this.height; row++) {
      const line = this.data.subarray(row * this.width, (row + 1) * this.width);
      const first = line.indexOf(1);
      if (first < 0) continue;
      if (top < 0) top = row;
      bottom = row;
      left = Math.min(left, first);
      right = Math.max(right, line.lastIndexOf(1));
    }
    return top < 0 ? null : { top, left, height: bottom - top + 1, width: right - left + 1 };
  }

  fillBox(box: Box): this {
    for (let row = box.top; row < box.top + box.height; row++) {
      const start = row * this.width + box.left;
      this.data.fill(1, start, start + box.width);
    }
    return this;
  }
}

/** What a drawn mask makes of the region that was there. */
export function combine(base: Mask, drawn: Mask, mode: Mode): Mask {
  if (mode === "replace") return drawn;
  const a = base.data;
  const b = drawn.data;
  const data = new Uint8Array(a.length);
  if (mode === "add") for (let i = 0; i < data.length; i++) data[i] = a[i]! | b[i]!;
  else if (mode === "subtract") for (let i = 0; i < data.length; i++) data[i] = a[i]! & (b[i]! ^ 1);
  else for (let i = 0; i < data.length; i++) data[i] = a[i]! & b[i]!;
  return new Mask(base.height, base.width, data);
}
