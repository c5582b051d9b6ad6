import { clamp, type Point } from "../geometry";
import type { Mask } from "../mask";

/** Row and column: the first pixel of a patch, or a cell of the grid. */
export type Place = readonly [number, number];

/** The grid of patches on a picture. */
export interface Grid {
  readonly height: number;
  readonly width: number;
  readonly size: number;
}

/** First pixel of the patch whose middle is nearest to a point, inside the picture. */
export function centred(grid: Grid, at: Point): Place {
  return inside(grid, [at.y - grid.size / 2, at.x - grid.size / 2]);
}

/** The nearest whole place at which a patch lies inside the picture. */
export function inside({ height, width, size }: Grid, [row, column]: Place): Place {
  return [
    clamp(Math.round(row), 0, Math.max(0, height - size)),
    clamp(Math.round(column), 0, Math.max(0, width - size)),
  ];
}

/** The cell of the grid under a point, null outside the picture. */
export function cellAt({ height, width, size }: Grid, at: Point): Place | null {
  if (at.x < 0 || at.y < 0 || at.x >= width || at.y >= height) return null;
  return [Math.floor(at.y / size), Math.floor(at.x / size)];
}

/** Whether a cell has a pixel of the region: such patches are left alone. */
export function touches({ size }: Grid, region: Mask, [row, column]: Place): boolean {
  for (let y = row * size; y < (row + 1) * size; y++) {
    for (let x = column * size; x < (column + 1) * size; x++) if (region.at(y, x)) return true;
  }
  return false;
}

/** Chooses a cell, or takes the choice back; of one that may be chosen the newest stays. */
export function toggled(chosen: readonly Place[], cell: Place, most: number): Place[] {
  const rest = chosen.filter(([row, column]) => row !== cell[0] || column !== cell[1]);
  if (rest.length < chosen.length) return rest;
  if (most === 1) return [cell];
  return chosen.length < most ? [...chosen, cell] : [...chosen];
}
