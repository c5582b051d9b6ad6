import { expect, test } from "vitest";
import { Mask } from "../src/mask";
import { TRAIT_NAMES } from "../src/traits";
import { intensity, readEffect, readImage, readMask, writeMask } from "../src/wire";

/** Bytes inside a longer buffer at an odd place, as messages bring them. */
function shifted(bytes: ArrayBufferLike): DataView {
  const padded = new Uint8Array(bytes.byteLength + 3);
  padded.set(new Uint8Array(bytes), 3);
  return new DataView(padded.buffer, 3);
}

test("a mask survives the wire", () => {
  const mask = new Mask(7, 9).fillBox({ top: 2, left: 3, height: 4, width: 5 });
  expect(readMask(writeMask(mask))).toEqual(mask);
});

test("a picture is read from any place of a buffer, with its offset", () => {
  const data = shifted(Uint16Array.from([0, 500, 1000, 65535]).buffer);
  const picture = readImage({
    id: 1,
    shape: [2, 1, 2],
    dtype: "uint16",
    offset: -1024,
    lo: [0, 0],
    hi: [1, 1],
    data,
  });
  expect([picture.channels, picture.height, picture.width]).toEqual([2, 1, 2]);
  expect(intensity(picture, 0, 0, 1)).toBe(-524);
  expect(intensity(picture, 1, 0, 1)).toBe(64511);
});

test("an effect map is read from any place of a buffer", () => {
  const map = readEffect({
    id: 3,
    generation: 2,
    shape: [1, 2],
    patch_size: 8,
    limit: 5,
    effect: shifted(Float32Array.from([-1.5, Number.NaN]).buffer),
    stderr: shifted(Float32Array.from([0.25, Number.NaN]).buffer),
    samples: shifted(Int32Array.from([8, 0]).buffer),
    significant: shifted(Uint8Array.from([1, 0]).buffer),
  });
  expect([...map.effect]).toEqual([-1.5, Number.NaN]);
  expect([map.rows, map.columns, map.patchSize, map.samples[0]]).toEqual([1, 2, 8, 8]);
});

test("no trait is named twice", () => {
  expect(new Set(TRAIT_NAMES).size).toBe(TRAIT_NAMES.length);
});
