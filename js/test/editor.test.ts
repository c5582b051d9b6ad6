import { describe, expect, test } from "vitest";
import { Editor, type Keys, NO_KEYS, type Settings } from "../src/editor";
import type { Point } from "../src/geometry";
import { Mask } from "../src/mask";
import { RegionStore } from "../src/region_store";
import { alone } from "./sketches";

const p = (x: number, y: number): Point => ({ x, y });

function setup(given: Partial<Settings> = {}) {
  const told: Mask[] = [];
  const store = new RegionStore(alone(new Mask(40, 50)), ({ mask }, final) => {
    if (final) told.push(mask);
  });
  const settings: { -readonly [K in keyof Settings]: Settings[K] } = {
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
  const drag = (from: Point, to: Point, keys: Keys = NO_KEYS) => {
    editor.press(from, keys);
    editor.move([to], keys);
    editor.release(to);
  };
  return { editor, store, settings, told, drag };
}

describe("box", () => {
  test("a drag makes a box, and is told once", () => {
    const { drag, told } = setup();
    drag(p(5.5, 6.5), p(15.5, 12.5));
    expect(told.map((mask) => mask.box())).toEqual([{ top: 6, left: 5, height: 7, width: 11 }]);
  });

  test("a click without a drag changes nothing", () => {
    const { drag, told } = setup();
    drag(p(5.5, 6.5), p(5.6, 6.6));
    expect(told).toEqual([]);
  });

  test("with snapping a click takes the patch", () => {
    const { drag, store } = setup({ snap: true });
    drag(p(9, 17), p(9, 17));
    expect(store.mask.box()).toEqual({ top: 16, left: 8, height: 8, width: 8 });
    expect(store.mask.count()).toBe(64);
  });

  test.each([
    [{ ...NO_KEYS, shift: true }, 200 - 25],
    [{ ...NO_KEYS, alt: true }, 75],
    [{ ...NO_KEYS, shift: true, alt: true }, 25],
  ])("Shift adds, Alt subtracts, both intersect: %o", (keys, count) => {
    const { drag, store, editor } = setup();
    drag(p(0.5, 0.5), p(9.5, 9.5));
    editor.cancel();
    drag(p(5.5, 5.5), p(14.5, 14.5), keys);
    expect(store.mask.count()).toBe(count);
  });

  test("a drag inside the box moves it, a corner resizes it", () => {
    const { drag, store } = setup();
    drag(p(5, 5), p(15, 15));
    drag(p(10, 10), p(20, 12));
    expect(store.mask.box()).toEqual({ top: 7, left: 15, height: 10, width: 10 });
    drag(p(25, 17), p(30, 27));
    expect(store.mask.box()).toEqual({ top: 7, left: 15, height: 20, width: 15 });
  });

  test("Alt cuts a hole into the box that was just drawn", () => {
    const { drag, store } = setup();
    drag(p(5, 5), p(15, 15));
    drag(p(8, 8), p(12, 12), { ...NO_KEYS, alt: true });
    expect(store.mask.count()).toBe(100 - 16);
  });

  test("Escape drops the drawing", () => {
    const { editor, told } = setup();
    editor.press(p(5, 5), NO_KEYS);
    editor.move([p(20, 20)], NO_KEYS);
    editor.cancel();
    editor.release(p(20, 20));
    expect(told).toEqual([]);
    expect(editor.draft).toBeNull();
  });
});

describe("polygon", () => {
  function clicks({ editor }: ReturnType<typeof setup>, ...points: Point[]) {
    for (const point of points) {
      editor.press(point, NO_KEYS);
      editor.move([point], NO_KEYS);
      editor.release(point);
    }
  }

  test("closes at its first corner", () => {
    const scene = setup({ tool: "polygon" });
    clicks(scene, p(5, 5), p(15, 5), p(15, 15));
    expect(scene.told).toEqual([]);
    clicks(scene, p(5.2, 5.2));
    expect(scene.told).toHaveLength(1);
    expect(scene.store.mask.at(6, 13)).toBe(true);
    expect(scene.store.mask.at(13, 6)).toBe(false);
  });

  test("closes by double click; the second click adds no corner", () => {
    const scene = setup({ tool: "polygon" });
    clicks(scene, p(5, 5), p(15, 5), p(15, 15), p(5, 15), p(5, 15));
    scene.editor.close();
    expect(scene.store.mask.count()).toBe(100);
    const { shape } = scene.editor;
    expect(shape && "points" in shape && shape.points).toHaveLength(4);
  });

  test("a corner can be dragged afterwards", () => {
    const scene = setup({ tool: "polygon" });
    clicks(scene, p(5, 5), p(15, 5), p(15, 15), p(5, 15));
    scene.editor.close();
    scene.drag(p(15, 15), p(25, 25));
    expect(scene.store.mask.at(20, 20)).toBe(true);
  });
});

test("the brush adds and the eraser takes away, whatever the mode", () => {
  const { drag, store, settings } = setup({ tool: "brush", mode: "replace" });
  drag(p(5.5, 5.5), p(20.5, 5.5));
  drag(p(5.5, 20.5), p(20.5, 20.5));
  const both = store.mask.count();
  settings.tool = "eraser";
  drag(p(5.5, 5.5), p(20.5, 5.5));
  expect(store.mask.count()).toBe(both / 2);
});

test("a lasso encloses what it goes around", () => {
  const { editor, store } = setup({ tool: "lasso" });
  editor.press(p(5, 5), NO_KEYS);
  editor.move([p(25, 5), p(25, 25), p(5, 25)], NO_KEYS);
  editor.release(p(5, 5));
  expect(store.mask.count()).toBe(400);
});

test("picking takes the component under the pointer from the first mask that has one", () => {
  const prediction = new Mask(40, 50).fillBox({ top: 2, left: 2, height: 5, width: 5 });
  prediction.fillBox({ top: 20, left: 20, height: 4, width: 4 });
  const truth = new Mask(40, 50).fillBox({ top: 30, left: 2, height: 3, width: 3 });
  const { editor, store } = setup({ tool: "pick", pickable: [prediction, truth] });
  editor.press(p(3, 3), NO_KEYS);
  expect(store.mask.count()).toBe(25);
  editor.press(p(3, 31), { ...NO_KEYS, shift: true });
  expect(store.mask.count()).toBe(34);
  editor.press(p(49, 1), NO_KEYS);
  expect(store.mask.count()).toBe(34);
});

test("the move tool lifts the whole region, moves and stretches it", () => {
  const { drag, store, settings } = setup();
  drag(p(4, 4), p(10, 10));
  settings.tool = "move";
  drag(p(7, 7), p(17, 7));
  expect(store.mask.box()).toEqual({ top: 4, left: 14, height: 6, width: 6 });
  drag(p(20, 10), p(26, 16));
  expect(store.mask.box()).toEqual({ top: 4, left: 14, height: 12, width: 12 });
});

test("moving never throws away what left the picture while the shape is held", () => {
  const { drag, store, settings } = setup();
  drag(p(4, 4), p(10, 10));
  settings.tool = "move";
  drag(p(7, 7), p(-1, 7));
  expect(store.mask.count()).toBeLessThan(36);
  drag(p(0.9, 7), p(8.9, 7));
  expect(store.mask.count()).toBe(36);
});

test("live previews come while drawing", () => {
  const previews: number[] = [];
  const store = new RegionStore(alone(new Mask(20, 20)), ({ mask }, final) => {
    if (!final) previews.push(mask.count());
  });
  const { settings } = setup({ live: true });
  const editor = new Editor(store, () => settings);
  editor.press(p(2, 2), NO_KEYS);
  editor.move([p(6, 6)], NO_KEYS);
  editor.move([p(8, 8)], NO_KEYS);
  expect(previews).toEqual([16, 36]);
});

describe("a preview that is not drawn is taken back", () => {
  function previewing() {
    const told: [number, boolean][] = [];
    const store = new RegionStore(alone(new Mask(20, 20)), ({ mask }, final) => {
      told.push([mask.count(), final]);
    });
    const { settings } = setup({ live: true });
    const editor = new Editor(store, () => settings);
    editor.press(p(2, 2), NO_KEYS);
    editor.move([p(6, 6)], NO_KEYS);
    return { told, editor };
  }

  test("after Escape", () => {
    const { told, editor } = previewing();
    editor.cancel();
    editor.cancel();
    expect(told).toEqual([
      [16, false],
      [0, true],
    ]);
  });

  test("after coming back to where it began", () => {
    const { told, editor } = previewing();
    editor.move([p(2, 2)], NO_KEYS);
    editor.release(p(2, 2));
    expect(told.at(-1)).toEqual([0, true]);
  });

  test("after drawing what was there before", () => {
    const { told, editor } = previewing();
    editor.release(p(6, 6));
    editor.cancel();
    editor.press(p(2, 2), { ...NO_KEYS, shift: true });
    editor.move([p(6, 6)], NO_KEYS);
    editor.release(p(6, 6));
    expect(told.at(-1)).toEqual([16, true]);
    expect(told).toHaveLength(4);
  });
});
