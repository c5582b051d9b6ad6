import { describe, expect, test } from "vitest";
import { COLORMAPS, colorEffects, colorTable, strength } from "../src/colormap";
import { coarse, renderPicture, suggestedWindow } from "../src/pixels";
import { presets } from "../src/presets";
import type { Picture } from "../src/wire";

const pixel = (pixels: Uint8ClampedArray, index: number) => [
  ...pixels.subarray(4 * index, 4 * index + 4),
];

describe.each(Object.keys(COLORMAPS))("%s", (name) => {
  const table = colorTable(name);

  test("white in the middle, the given stops at the ends", () => {
    expect([...table.subarray(3 * 255, 3 * 256)]).toEqual([255, 255, 255]);
    const ends = [table.subarray(0, 3), table.subarray(-3)].map(
      (color) => `#${[...color].map((v) => v.toString(16).padStart(2, "0")).join("")}`,
    );
    expect(ends).toEqual([COLORMAPS[name]![0], COLORMAPS[name]!.at(-1)]);
  });
});

test("negative is red, positive is blue, none is clear", () => {
  const effect = Float32Array.from([-10, 10, 0]);
  const pixels = colorEffects(effect, 10, colorTable("red-blue"), null);
  expect(pixel(pixels, 0)).toEqual([103, 0, 31, 255]);
  expect(pixel(pixels, 1)).toEqual([5, 48, 97, 255]);
  expect(pixels[11]).toBe(0);
});

test("beyond the limit is the colour of the limit", () => {
  const pixels = colorEffects(Float32Array.from([-99, -5]), 5, colorTable("red-blue"), null);
  expect(pixel(pixels, 0)).toEqual(pixel(pixels, 1));
});

test("the mask hides effects, and patches of the region keep its tint", () => {
  const effect = Float32Array.from([3, Number.NaN]);
  const pixels = colorEffects(effect, 5, colorTable("red-blue"), Uint8Array.from([0, 0]));
  expect(pixels[3]).toBe(0);
  expect(pixels[7]).toBeGreaterThan(0);
});

test("strength grows with the size of the effect, whatever its sign", () => {
  const steps = [0, 0.1, 0.2, 0.4, 0.5, 1].map((t) => strength(-t, 1));
  expect(steps).toEqual([0, 0.2, 0.4, 0.8, 1, 1]);
  expect(strength(0.2, 1)).toBe(strength(-0.2, 1));
});

function picture(values: Picture["values"], channels = 1, offset = 0): Picture {
  const width = values.length / channels;
  const lo = Array.from({ length: channels }, () => Math.min(...values) + offset);
  const hi = Array.from({ length: channels }, () => Math.max(...values) + offset);
  return { id: 1, channels, height: 1, width, values, offset, lo, hi };
}

describe("pictures", () => {
  test("the window maps black to 0 and white to 255, beyond is cut", () => {
    const image = picture(Float32Array.from([-5, 0, 1, 2, 9]));
    const pixels = renderPicture(image, 0, [0, 2]);
    expect([0, 1, 2, 3, 4].map((i) => pixels[4 * i])).toEqual([0, 0, 128, 255, 255]);
  });

  test("16 bits are windowed before they become 8", () => {
    const image = picture(Uint16Array.from([1000, 1001, 1002]), 1, -1024);
    const pixels = renderPicture(image, 0, [-24, -22]);
    expect([0, 1, 2].map((i) => pixels[4 * i])).toEqual([0, 128, 255]);
  });

  test("what is not a number has a colour that no grey has", () => {
    const pixels = renderPicture(picture(Float32Array.from([Number.NaN, 1])), 0, [0, 1]);
    const [red, green, blue] = pixel(pixels, 0);
    expect(red === green && green === blue).toBe(false);
  });

  test("three channels are one colour", () => {
    const image = picture(Uint8Array.from([10, 20, 30]), 3);
    const window = suggestedWindow(image, -1);
    expect(window).toEqual([10, 30]);
    expect(pixel(renderPicture(image, -1, [0, 255]), 0)).toEqual([10, 20, 30, 255]);
  });

  test("floats and whole numbers of the same value have the same grey", () => {
    const whole = Uint16Array.from({ length: 1000 }, (_, index) => index * 60);
    const window = [1234, 54321] as const;
    const grey = renderPicture(picture(whole), 0, window);
    expect(grey).toEqual(renderPicture(picture(Float32Array.from(whole)), 0, window));
    expect(new Set(grey).size).toBe(256);
  });

  test("a coarse picture has every second row and column", () => {
    const image = { ...picture(Uint8Array.from({ length: 15 }, (_, index) => index)) };
    const small = coarse({ ...image, height: 3, width: 5 }, 6);
    expect([small.height, small.width, [...small.values]]).toEqual([2, 3, [0, 2, 4, 10, 12, 14]]);
    expect(coarse(image, 100)).toBe(image);
  });

  test("percentiles leave outliers out", () => {
    const values = Float32Array.from({ length: 1001 }, (_, index) => index);
    values[0] = Number.NaN;
    values[1000] = 1e6;
    const found = presets(picture(values)).find(({ name }) => name === "Percentiles 5 to 95");
    expect(found?.window?.[0]).toBeCloseTo(51, -1);
    expect(found?.window?.[1]).toBeCloseTo(950, -1);
  });

  test("presets of CT are offered where there is air, and nowhere else", () => {
    const names = (low: number) =>
      presets(picture(Uint16Array.from([0, 2000]), 1, low)).map(({ name }) => name);
    expect(names(-1024)).toContain("CT lung");
    expect(names(0)).toEqual([
      "Automatic",
      "Percentiles 1 to 99",
      "Percentiles 5 to 95",
      "Full range",
    ]);
  });
});
