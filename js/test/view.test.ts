import { describe, expect, test } from "vitest";
import {
  FIT,
  type Frame,
  keepInside,
  MAX_ZOOM,
  panBy,
  toImage,
  toScreen,
  viewOf,
  zoomAt,
} from "../src/view";

const frame: Frame = { stageWidth: 400, stageHeight: 300, width: 100, height: 50, aspect: 2 };

describe("fitting", () => {
  test("shows the whole picture in the middle, with the aspect of its pixels", () => {
    const view = viewOf(frame, FIT);
    expect(view).toEqual({ scaleX: 3, scaleY: 6, offsetX: 50, offsetY: 0 });
  });

  test("screen and picture are inverse", () => {
    const view = viewOf(frame, [3, 0.4, 0.7]);
    const point = { x: 12.25, y: 33.5 };
    const back = toImage(view, toScreen(view, point));
    expect(back.x).toBeCloseTo(point.x, 10);
    expect(back.y).toBeCloseTo(point.y, 10);
  });
});

describe("zooming", () => {
  test("keeps what is under the pointer there", () => {
    const at = { x: 170, y: 120 };
    const zoom = zoomAt(frame, [4, 0.5, 0.5], at, 1.7);
    const before = toImage(viewOf(frame, [4, 0.5, 0.5]), at);
    const after = toImage(viewOf(frame, zoom), at);
    expect(after.x).toBeCloseTo(before.x, 8);
    expect(after.y).toBeCloseTo(before.y, 8);
    expect(zoom[0]).toBeCloseTo(6.8, 10);
  });

  test("ends at the whole picture and at the largest zoom", () => {
    expect(zoomAt(frame, [2, 0.3, 0.3], { x: 0, y: 0 }, 0.01)).toEqual(FIT);
    expect(zoomAt(frame, FIT, { x: 200, y: 150 }, 1e6)[0]).toBe(MAX_ZOOM);
  });
});

test("panning stops at the picture's edge", () => {
  const zoom = panBy(frame, [4, 0.5, 0.5], 1e5, -1e5);
  const view = viewOf(frame, zoom);
  expect(toScreen(view, { x: 0, y: 0 }).x).toBeCloseTo(0, 8);
  expect(toScreen(view, { x: 0, y: 50 }).y).toBeCloseTo(300, 8);
});

test("a picture that fits stays in the middle", () => {
  expect(keepInside(frame, [1, 0.9, 0.1])).toEqual(FIT);
});
