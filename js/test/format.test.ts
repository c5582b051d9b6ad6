import { expect, test } from "vitest";
import { effectText, intensityText, lengthText, scaleBarLength, signed } from "../src/format";

test.each([
  [-3.456, "\u22123.46"],
  [0.5, "+0.50"],
  [0.01234, "+0.012"],
  [0, "0"],
])("%f points read %s", (value, text) => {
  expect(signed(value)).toBe(text);
});

test.each([
  [-3, 0.25, 8, "\u22123.00 \u00b1 0.25 points, 8 draws"],
  [2, 0, 1, "+2.00 points (exact)"],
  [2, 0.004, 1, "+2.00 \u00b1 0.004 points, 1 draw"],
  [Number.NaN, Number.NaN, 0, "in the region"],
  [0, 0, 0, "no effect possible"],
])("effect %f with error %f", (effect, error, samples, text) => {
  expect(effectText(effect, error, samples)).toBe(text);
});

test.each([
  [-1024, "\u22121024"],
  [0.12345, "0.123"],
  [12.345, "12.35"],
  [1e-5, "1.00e\u22125"],
  [Number.NaN, "not a number"],
])("intensity %f reads %s", (value, text) => {
  expect(intensityText(value)).toBe(text);
});

test.each([0.003, 0.7, 9.99, 10, 49, 51, 1999])(
  "a scale bar fits %f mm and fills 40 %% of it",
  (room) => {
    const length = scaleBarLength(room);
    expect(length).toBeLessThanOrEqual(room);
    expect(length).toBeGreaterThan(0.399 * room);
  },
);

test.each([
  [20, "2 cm"],
  [5, "5 mm"],
  [0.05, "50 \u00b5m"],
])("%f mm reads %s", (length, text) => {
  expect(lengthText(length)).toBe(text);
});
