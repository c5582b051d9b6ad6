import { expect, test } from "vitest";
import { reshaped, type Shape } from "../src/shape";

const box: Shape = { kind: "box", box: { top: 10, left: 20, height: 6, width: 8 } };
const TOP_LEFT = 0;
const TOP = 1;
const BOTTOM_RIGHT = 4;
const RIGHT = 3;

function dragged(handle: number, x: number, y: number) {
  const shape = reshaped(box, handle, { x, y });
  if (shape.kind !== "box") throw new Error("a box stays a box");
  return shape.box;
}

test("a corner is where the pointer is, and the opposite one stays", () => {
  expect(dragged(BOTTOM_RIGHT, 40.2, 30)).toEqual({ top: 10, left: 20, height: 20, width: 20 });
  expect(dragged(TOP_LEFT, 18, 12)).toEqual({ top: 12, left: 18, height: 4, width: 10 });
});

test("a corner dragged beyond the opposite one turns the box over", () => {
  expect(dragged(BOTTOM_RIGHT, 5, 3)).toEqual({ top: 3, left: 5, height: 7, width: 15 });
  expect(dragged(TOP_LEFT, 33, 20)).toEqual({ top: 16, left: 28, height: 4, width: 5 });
});

test("a side moves along its own axis alone, beyond the other side too", () => {
  expect(dragged(TOP, 99, 20)).toEqual({ top: 16, left: 20, height: 4, width: 8 });
  expect(dragged(RIGHT, 12, 99)).toEqual({ top: 10, left: 12, height: 6, width: 8 });
});

test("on the opposite side one pixel is left, where the box was", () => {
  expect(dragged(BOTTOM_RIGHT, 20, 10)).toEqual({ top: 10, left: 20, height: 1, width: 1 });
  expect(dragged(TOP_LEFT, 28, 16)).toEqual({ top: 15, left: 27, height: 1, width: 1 });
});
