import { expect, test } from "vitest";
import { packBits, unpackBits } from "../src/bits";
import { decodeRuns, encodeRuns } from "../src/runs";

function noise(length: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return (state >> 16) & 1;
  });
}

test("bits come in numpy's order: the first pixel is the highest bit", () => {
  expect([...packBits(Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 1, 0, 1]))]).toEqual([0x81, 0x40]);
});

test.each([0, 1, 7, 8, 9, 1000, 4097])("%i bits survive packing", (length) => {
  const values = noise(length, length + 1);
  expect(unpackBits(packBits(values), length)).toEqual(values);
});

test("too few bytes are refused with both numbers", () => {
  expect(() => unpackBits(new Uint8Array(2), 17)).toThrow("17 bits need 3 bytes, got 2");
});

test.each([1, 2, 63, 64, 65, 4096])("%i pixels survive run lengths", (length) => {
  for (const values of [noise(length, 3), new Uint8Array(length), new Uint8Array(length).fill(1)]) {
    expect(decodeRuns(encodeRuns(values), length)).toEqual(values);
  }
});

test("run lengths start with zeros", () => {
  expect([...encodeRuns(Uint8Array.from([1, 1, 0, 1]))]).toEqual([0, 2, 1, 1]);
});
