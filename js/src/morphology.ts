import { Mask } from "./mask";

/** The connected component (four neighbours) of the pixel, null when the pixel is not set. */
export function componentAt(mask: Mask, row: number, column: number): Mask | null {
  if (!mask.at(row, column)) return null;
  const found = new Mask(mask.height, mask.width);
  flood(mask.data, found.data, mask.width, row * mask.width + column, 1);
  return found;
}

/** Sets every pixel that the border of the picture cannot reach without crossing the mask. */
export function fillHoles(mask: Mask): Mask {
  const { height, width, data } = mask;
  const outside = new Uint8Array(data.length);
  const start = (index: number) => {
    if (!data[index] && !outside[index]) flood(data, outside, width, index, 0);
  };
  for (let column = 0; column < width; column++) {
    start(column);
    start((height - 1) * width + column);
  }
  for (let row = 0; row < height; row++) {
    start(row * width);
    start(row * width + width - 1);
  }
  return new Mask(
    height,
    width,
    outside.map((value) => value ^ 1),
  );
}

function flood(data: Uint8Array, found: Uint8Array, width: number, start: number, value: 0 | 1) {
  const stack = [start];
  found[start] = 1;
  const visit = (index: number) => {
    if (data[index] === value && !found[index]) {
      found[index] = 1;
      stack.push(index);
    }
  };
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    const column = index % width;
    if (column > 0) visit(index - 1);
    if (column < width - 1) visit(index + 1);
    if (index >= width) visit(index - width);
    if (index + width < data.length) visit(index + width);
  }
}

/** Grows by one pixel in the four directions, or shrinks where `grow` is false. */
export function grown(mask: Mask, grow: boolean): Mask {
  const { height, width, data } = mask;
  const target = grow ? 1 : 0;
  const result = mask.copy();
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const index = row * width + column;
      if (data[index] === target) continue;
      const touches =
        (column > 0 && data[index - 1] === target) ||
        (column < width - 1 && data[index + 1] === target) ||
        (row > 0 && data[index - width] === target) ||
        (row < height - 1 && data[index + width] === target);
      if (touches) result.data[index] = target;
    }
  }
  return result;
}
