import { expect, test } from "vitest";
import { cellAt, centred, inside, toggled, touches } from "../src/lesson/places";
import { Mask } from "../src/mask";

const grid = { height: 30, width: 20, size: 8 };

test("a patch is centred on the finger and stays inside the picture", () => {
  expect(centred(grid, { x: 10, y: 15 })).toEqual([11, 6]);
  expect(centred(grid, { x: -50, y: 1000 })).toEqual([22, 0]);
  expect(inside(grid, [3.4, 99])).toEqual([3, 12]);
  expect(inside({ height: 4, width: 4, size: 8 }, [2, 2])).toEqual([0, 0]);
});

test("the cell under a point, and none outside", () => {
  expect(cellAt(grid, { x: 0, y: 0 })).toEqual([0, 0]);
  expect(cellAt(grid, { x: 19.9, y: 29.9 })).toEqual([3, 2]);
  expect(cellAt(grid, { x: 20, y: 0 })).toBeNull();
  expect(cellAt(grid, { x: 0, y: -0.1 })).toBeNull();
});

test("a cell touches the region when one of its pixels does", () => {
  const region = new Mask(30, 20).fillBox({ top: 7, left: 8, height: 2, width: 1 });
  expect(touches(grid, region, [0, 1])).toBe(true);
  expect(touches(grid, region, [1, 1])).toBe(true);
  expect(touches(grid, region, [0, 0])).toBe(false);
  expect(touches(grid, region, [3, 2])).toBe(false);
});

test("cells are chosen in order, taken back, and never too many", () => {
  const two = toggled(toggled([], [0, 1], 2), [3, 2], 2);
  expect(two).toEqual([
    [0, 1],
    [3, 2],
  ]);
  expect(toggled(two, [2, 2], 2)).toEqual(two);
  expect(toggled(two, [0, 1], 2)).toEqual([[3, 2]]);
});

test("of one that may be chosen the newest stays", () => {
  expect(toggled([[0, 1]], [3, 2], 1)).toEqual([[3, 2]]);
  expect(toggled([[0, 1]], [0, 1], 1)).toEqual([]);
});
