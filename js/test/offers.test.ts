import { describe, expect, test } from "vitest";
import { Editor, type Keys, NO_KEYS, type Settings } from "../src/editor";
import { around, distanceToSegment, type Point, squareAt } from "../src/geometry";
import { Mask } from "../src/mask";
import { RegionStore } from "../src/region_store";
import { edgeAt, type Shape, withCorner, withoutCorner } from "../src/shape";
import { alone } from "./sketches";

const p = (x: number, y: number): Point => ({ x, y });
const ALT: Keys = { ...NO_KEYS, alt: true };

function setup(given: Partial<Settings>) {
  const store = new RegionStore(alone(new Mask(40, 50)), () => {});
  const settings: Settings = {
    tool: "box",
    mode: "replace",
    brushSize: 3,
    snap: false,
    live: false,
    patchSize: 8,
    targetPatches: 1,
    reach: 0.5,
    pickable: [],
    ...given,
  };
  const editor = new Editor(store, () => settings);
  const click = (at: Point, keys: Keys = NO_KEYS) => {
    editor.press(at, keys);
    editor.release(at);
  };
  return { editor, store, click };
}

describe("square targets", () => {
  test.each([
    [p(9, 17), 1, { top: 16, left: 8, height: 8, width: 8 }],
    [p(8, 16), 1, { top: 16, left: 8, height: 8, width: 8 }],
    [p(20, 20), 3, { top: 8, left: 8, height: 24, width: 24 }],
    [p(20, 20), 2, { top: 16, left: 16, height: 16, width: 16 }],
    [p(1, 1), 3, { top: 0, left: 0, height: 24, width: 24 }],
    [p(49, 39), 2, { top: 24, left: 40, height: 16, width: 10 }],
    [p(20, 20), 9, { top: 0, left: 0, height: 40, width: 50 }],
  ])("of the cell of %o, %i cells a side", (at, count, box) => {
    expect(squareAt(at, 8, count, 40, 50)).toEqual(box);
  });

  test("are offered before the click that takes them", () => {
    const { editor, store, click } = setup({ snap: true, targetPatches: 2 });
    const box = { top: 16, left: 16, height: 16, width: 16 };
    expect(editor.offer(p(20, 20))).toEqual({ shape: { kind: "box", box } });
    click(p(20, 20));
    expect(store.mask.box()).toEqual(box);
    expect(editor.offer(p(20, 20))).toBeNull();
    expect(editor.offer(p(-1, 20))).toBeNull();
  });
});

describe("picking", () => {
  const two = new Mask(40, 50)
    .fillBox({ top: 2, left: 2, height: 5, width: 5 })
    .fillBox({ top: 20, left: 20, height: 6, width: 7 });

  test("offers the component under the pointer, the same one while it stays there", () => {
    const { editor } = setup({ tool: "pick", pickable: [two] });
    const offered = editor.offer(p(3, 3))?.mask;
    expect(offered?.box()).toEqual({ top: 2, left: 2, height: 5, width: 5 });
    expect(editor.offer(p(5, 5))?.mask).toBe(offered);
    expect(editor.offer(p(21, 21))?.mask?.count()).toBe(42);
    expect(editor.offer(p(12, 12))).toBeNull();
  });

  test("takes what was offered", () => {
    const { store, click } = setup({ tool: "pick", pickable: [two] });
    click(p(22.5, 21.5));
    expect(store.mask.count()).toBe(42);
    click(p(12, 12));
    expect(store.mask.count()).toBe(42);
  });
});

describe("corners of a polygon", () => {
  const square: Shape = { kind: "polygon", points: [p(8, 8), p(24, 8), p(24, 24), p(8, 24)] };

  test("an edge is found near it and not beyond its ends", () => {
    expect(edgeAt(square, p(16, 8.4), 0.5)).toBe(0);
    expect(edgeAt(square, p(8.3, 20), 0.5)).toBe(3);
    expect(edgeAt(square, p(16, 16), 0.5)).toBe(-1);
    expect(edgeAt(square, p(26, 8), 0.5)).toBe(-1);
    expect(distanceToSegment(p(3, 4), p(0, 0), p(0, 0))).toBe(5);
  });

  test("one more and one less are inverse; three stay", () => {
    const more = withCorner(square, 0, p(16, 4));
    expect("points" in more && more.points[1]).toEqual(p(16, 4));
    expect(withoutCorner(more, 1)).toEqual(square);
    const three = withoutCorner(square, 0);
    expect(withoutCorner(three, 0)).toBe(three);
  });

  test("undo takes the last corner back while it is drawn, then the drawing", () => {
    const { editor, store, click } = setup({ tool: "polygon" });
    for (const at of [p(8, 8), p(24, 8), p(40, 30)]) click(at);
    expect(editor.back()).toBe(true);
    for (const at of [p(24, 24), p(8, 24)]) click(at);
    editor.close();
    expect(store.mask.count()).toBe(256);
    click(p(2, 2));
    expect(editor.back()).toBe(true);
    expect(editor.active).toBe(false);
    expect(editor.back()).toBe(false);
    expect(store.mask.count()).toBe(256);
  });

  test("a double click on an edge adds one, Alt and a click takes one away", () => {
    const { editor, store, click } = setup({ tool: "polygon" });
    for (const at of [p(8, 8), p(24, 8), p(24, 24), p(8, 24)]) click(at);
    editor.close();
    expect(editor.addCorner(p(24, 24))).toBe(false);
    expect(editor.addCorner(p(16, 16))).toBe(false);
    expect(editor.addCorner(p(16, 8))).toBe(true);
    expect(store.mask.count()).toBe(256);
    editor.press(p(16, 8), NO_KEYS);
    editor.move([p(16, 2)], NO_KEYS);
    editor.release(p(16, 2));
    expect(store.mask.count()).toBe(256 + 48);
    click(p(16, 2), ALT);
    expect(store.mask.count()).toBe(256);
  });
});

test("a brush erases with Alt, an eraser at the other end of a pen whatever the tool", () => {
  const { editor, store } = setup({ tool: "brush" });
  const stroke = (keys: Keys, tool?: Settings["tool"]) => {
    editor.press(p(10.5, 10.5), keys, tool);
    editor.move([p(20.5, 10.5)], keys);
    editor.release(p(20.5, 10.5));
  };
  stroke(NO_KEYS);
  const drawn = store.mask.count();
  expect(drawn).toBeGreaterThan(0);
  stroke(ALT);
  expect(store.mask.count()).toBe(0);
  stroke(NO_KEYS);
  stroke(NO_KEYS, "eraser");
  expect(store.mask.count()).toBe(0);
});

test("a box around two", () => {
  const a = { top: 2, left: 3, height: 4, width: 5 };
  expect(around(null, a)).toEqual(a);
  expect(around(a, { top: 0, left: 6, height: 1, width: 9 })).toEqual({
    top: 0,
    left: 3,
    height: 6,
    width: 12,
  });
});
