import { describe, expect, test } from "vitest";
import { boxBetween, insidePolygon, snapped, squared } from "../src/geometry";
import { Mask } from "../src/mask";
import { rasterEllipse, rasterPolygon, resample, stampSegment } from "../src/raster";

/** The same question asked of every pixel's centre, one at a time. */
function pixelwise(height: number, width: number, inside: (x: number, y: number) => boolean): Mask {
  const mask = new Mask(height, width);
  for (let i = 0; i < height * width; i++) {
    if (inside((i % width) + 0.5, Math.floor(i / width) + 0.5)) mask.data[i] = 1;
  }
  return mask;
}

describe("boxes", () => {
  test("a drag takes every pixel it touches", () => {
    const box = boxBetween({ x: 5.2, y: 1.9 }, { x: 2.7, y: 4.1 }, 10, 10);
    expect(box).toEqual({ top: 1, left: 2, height: 4, width: 4 });
  });

  test("a drag that leaves the picture is cut to it", () => {
    const box = boxBetween({ x: -4, y: 3 }, { x: 99, y: 99 }, 6, 8);
    expect(box).toEqual({ top: 3, left: 0, height: 3, width: 8 });
  });

  test("snapping takes whole patches, cropped at the edge as the grid is", () => {
    const box = snapped({ top: 9, left: 9, height: 2, width: 2 }, 8, 20, 12);
    expect(box).toEqual({ top: 8, left: 8, height: 8, width: 4 });
  });

  test("equal sides keep the direction of the drag", () => {
    expect(squared({ x: 5, y: 5 }, { x: 2, y: 6 })).toEqual({ x: 2, y: 8 });
  });
});

describe("polygons", () => {
  const star = [
    { x: 1, y: 1 },
    { x: 18, y: 3 },
    { x: 4, y: 15 },
    { x: 10, y: -3 },
    { x: 17, y: 17 },
  ];

  test("the rasteriser agrees with the even-odd rule at every centre", () => {
    const expected = pixelwise(16, 20, (x, y) => insidePolygon(star, { x, y }));
    expect(rasterPolygon(star, 16, 20)).toEqual(expected);
    expect(expected.count()).toBeGreaterThan(20);
  });

  test("two points enclose nothing", () => {
    expect(rasterPolygon(star.slice(0, 2), 16, 20).count()).toBe(0);
  });
});

test("an ellipse holds the centres within its equation", () => {
  const box = { top: 2, left: 3, height: 9, width: 14 };
  const expected = pixelwise(13, 20, (x, y) => ((x - 10) / 7) ** 2 + ((y - 6.5) / 4.5) ** 2 <= 1);
  expect(rasterEllipse(box, 13, 20)).toEqual(expected);
});

describe("brush", () => {
  test("a stroke covers the pixels within its radius of the line", () => {
    const mask = new Mask(12, 20);
    stampSegment(mask, { x: 4.5, y: 5.5 }, { x: 14.5, y: 5.5 }, 6, 1);
    const expected = pixelwise(12, 20, (x, y) => {
      const along = Math.min(Math.max(x, 4.5), 14.5);
      return Math.hypot(x - along, y - 5.5) <= 3;
    });
    expect(mask).toEqual(expected);
  });

  test("the smallest brush sets the pixel it is on, wherever in it", () => {
    for (const x of [2.01, 2.5, 2.99]) {
      const mask = new Mask(5, 5);
      stampSegment(mask, { x, y: 3.1 }, { x, y: 3.1 }, 1, 1);
      expect(mask.at(3, 2)).toBe(true);
    }
  });

  test("the eraser takes back what the brush set", () => {
    const mask = new Mask(9, 9);
    stampSegment(mask, { x: 1, y: 1 }, { x: 7, y: 8 }, 4, 1);
    stampSegment(mask, { x: 1, y: 1 }, { x: 7, y: 8 }, 4, 0);
    expect(mask.count()).toBe(0);
  });

  test("a stroke outside the picture changes nothing", () => {
    const mask = new Mask(4, 4);
    stampSegment(mask, { x: -20, y: -20 }, { x: -10, y: 30 }, 3, 1);
    expect(mask.count()).toBe(0);
  });
});

describe("stretching", () => {
  const source = rasterEllipse({ top: 2, left: 2, height: 6, width: 4 }, 20, 20);
  const from = source.box()!;

  test("onto itself changes nothing", () => {
    expect(resample(source, from, from)).toEqual(source);
  });

  test("to twice the sides gives four times the pixels", () => {
    const to = { top: 4, left: 5, height: 2 * from.height, width: 2 * from.width };
    expect(resample(source, from, to).count()).toBe(4 * source.count());
  });

  test("what leaves the picture is cut", () => {
    const moved = resample(source, from, { ...from, left: 18 });
    expect(moved.count()).toBeLessThan(source.count());
    expect(moved.box()!.left).toBe(18);
  });
});
