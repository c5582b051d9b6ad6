import { describe, expect, test } from "vitest";
import { outline } from "../src/contour";
import { combine, Mask, type Mode } from "../src/mask";
import { componentAt, fillHoles, grown } from "../src/morphology";

function drawn(...lines: string[]): Mask {
  const text = lines.join("");
  const data = Uint8Array.from(text, (letter) => (letter === "#" ? 1 : 0));
  return new Mask(lines.length, lines[0]!.length, data);
}

describe("combining", () => {
  const base = drawn("##..", "##..");
  const over = drawn(".##.", ".##.");
  test.each<[Mode, Mask]>([
    ["replace", over],
    ["add", drawn("###.", "###.")],
    ["subtract", drawn("#...", "#...")],
    ["intersect", drawn(".#..", ".#..")],
  ])("%s", (mode, expected) => {
    expect(combine(base, over, mode)).toEqual(expected);
  });
});

describe("bounding box", () => {
  test("holds every pixel and no empty side", () => {
    const mask = drawn("......", "...#..", ".#....", "......");
    expect(mask.box()).toEqual({ top: 1, left: 1, height: 2, width: 3 });
  });

  test("of nothing is nothing", () => {
    expect(new Mask(3, 3).box()).toBeNull();
  });
});

describe("morphology", () => {
  test("a component is connected by sides, not corners", () => {
    const mask = drawn("##.#", "#..#", "..#.", "##..");
    expect(componentAt(mask, 0, 0)).toEqual(drawn("##..", "#...", "....", "...."));
    expect(componentAt(mask, 2, 2)).toEqual(drawn("....", "....", "..#.", "...."));
    expect(componentAt(mask, 1, 1)).toBeNull();
    expect(componentAt(mask, -1, 9)).toBeNull();
  });

  test("holes are filled, bays are not", () => {
    const mask = drawn("####.", "#..#.", "####.", "#..#.");
    expect(fillHoles(mask)).toEqual(drawn("####.", "####.", "####.", "#..#."));
  });

  test("growing and shrinking are each other's complement", () => {
    const mask = drawn(".....", ".##..", ".###.", ".....");
    expect(grown(mask, true)).toEqual(drawn(".##..", "####.", "#####", ".###."));
    const inverse = new Mask(
      4,
      5,
      mask.data.map((value) => value ^ 1),
    );
    const shrunk = grown(mask, false).data.map((value) => value ^ 1);
    expect(grown(inverse, true).data).toEqual(shrunk);
  });

  test("a mask that touches the border does not wrap to the other side", () => {
    expect(grown(drawn("...", "..#", "..."), true)).toEqual(drawn("..#", ".##", "..#"));
  });
});

describe("outline", () => {
  test("of one pixel is its four sides", () => {
    const segments = outline(drawn("...", ".#.", "..."));
    expect(segments).toEqual([1, 1, 2, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 1, 2, 2]);
  });

  test("is as long as the sides between set and unset pixels", () => {
    const mask = drawn("#.##", "####", ".#.#");
    const segments = outline(mask);
    let length = 0;
    for (let i = 0; i < segments.length; i += 4) {
      length +=
        Math.abs(segments[i + 2]! - segments[i]!) + Math.abs(segments[i + 3]! - segments[i + 1]!);
    }
    let sides = 0;
    for (let row = -1; row <= mask.height; row++) {
      for (let column = -1; column <= mask.width; column++) {
        if (mask.at(row, column) !== mask.at(row, column + 1)) sides++;
        if (mask.at(row, column) !== mask.at(row + 1, column)) sides++;
      }
    }
    expect(length).toBe(sides);
  });
});
