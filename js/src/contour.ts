import type { Mask } from "./mask";

/** The pixel-edge outline of a mask as segments [x0, y0, x1, y1, ...], merged along rows and columns. */
export function outline(mask: Mask): number[] {
  const box = mask.box();
  if (!box) return [];
  const segments: number[] = [];
  const { top, left, height, width } = box;
  for (let y = top; y <= top + height; y++) {
    let start = -1;
    for (let x = left; x <= left + width; x++) {
      const edge = x < left + width && mask.at(y - 1, x) !== mask.at(y, x);
      if (edge && start < 0) start = x;
      if (!edge && start >= 0) {
        segments.push(start, y, x, y);
        start = -1;
      }
    }
  }
  for (let x = left; x <= left + width; x++) {
    let start = -1;
    for (let y = top; y <= top + height; y++) {
      const edge = y < top + height && mask.at(y, x - 1) !== mask.at(y, x);
      if (edge && start < 0) start = y;
      if (!edge && start >= 0) {
        segments.push(x, start, x, y);
        start = -1;
      }
    }
  }
  return segments;
}
