import type { Box } from "./geometry";
import type { Mask } from "./mask";

/** The pixel-edge outline of a mask as segments [x0, y0, x1, y1, ...], merged along rows and columns. */
export function outline(mask: Mask, box: Box | null = mask.box()): number[] {
  if (!box) return [];
  const segments: number[] = [];
  const { data, height, width } = mask;
  const right = box.left + box.width;
  const bottom = box.top + box.height;
  for (let y = box.top; y <= bottom; y++) {
    const above = y > 0 ? (y - 1) * width : -1;
    const below = y < height ? y * width : -1;
    let start = -1;
    for (let x = box.left; x < right; x++) {
      const edge = (above >= 0 ? data[above + x] : 0) !== (below >= 0 ? data[below + x] : 0);
      if (edge && start < 0) start = x;
      if (!edge && start >= 0) {
        segments.push(start, y, x, y);
        start = -1;
      }
    }
    if (start >= 0) segments.push(start, y, right, y);
  }
  for (let x = box.left; x <= right; x++) {
    let start = -1;
    for (let y = box.top; y < bottom; y++) {
      const at = y * width + x;
      const edge = (x > 0 ? data[at - 1] : 0) !== (x < width ? data[at] : 0);
      if (edge && start < 0) start = y;
      if (!edge && start >= 0) {
        segments.push(x, start, x, y);
        start = -1;
      }
    }
    if (start >= 0) segments.push(x, start, x, bottom);
  }
  return segments;
}
