import { expect, test } from "vitest";
import type { Sketch } from "../src/history";
import { Mask } from "../src/mask";
import { added, changed, removed, renamed, sameList, withMask } from "../src/region_list";
import { RegionStore } from "../src/region_store";
import type { NamedWire } from "../src/traits";
import { readMask, writeMask } from "../src/wire";
import { alone } from "./sketches";

const box = (left: number) => new Mask(4, 40).fillBox({ top: 1, left, height: 2, width: 3 });

function kept() {
  const told: Sketch[] = [];
  const store = new RegionStore(alone(box(0)), (sketch, final) => {
    if (final) told.push(sketch);
  });
  store.arrange(added(store.regions, writeMask(store.mask)), "Region 1");
  return { store, told };
}

const names = (list: readonly NamedWire[]) => list.map(({ name }) => name);
const lefts = (list: readonly NamedWire[]) => list.map((entry) => readMask(entry).box()?.left);

test("the active region of the list is the one that is drawn", () => {
  const { store } = kept();
  store.commit(box(10));
  expect(lefts(store.regions)).toEqual([10]);
  store.arrange(added(store.regions, writeMask(box(20))), "Region 1");
  store.choose("Region 2");
  expect(store.mask).toEqual(box(20));
  store.commit(box(30));
  store.choose("Region 1");
  expect(store.mask).toEqual(box(10));
  expect(lefts(store.regions)).toEqual([10, 30]);
});

test("keeping, renaming, colouring, hiding, deleting and choosing are steps", () => {
  const { store, told } = kept();
  store.arrange(renamed(store.regions, "Region 1", "lesion"), "lesion");
  store.arrange(changed(store.regions, "lesion", { color: "#123456" }), "lesion");
  store.arrange(changed(store.regions, "lesion", { visible: false }), "lesion");
  store.commit(box(10));
  store.arrange(removed(store.regions, "lesion"), "");
  expect(store.mask).toEqual(box(10));
  const seen = [];
  while (store.canUndo) {
    store.undo();
    const { regions, active } = told.at(-1)!;
    seen.push([regions[0]?.name, regions[0]?.color, regions[0]?.visible, active]);
  }
  expect(seen).toEqual([
    ["lesion", "#123456", false, "lesion"],
    ["lesion", "#123456", false, "lesion"],
    ["lesion", "#123456", true, "lesion"],
    ["lesion", "#ffd60a", true, "lesion"],
    ["Region 1", "#ffd60a", true, "Region 1"],
    [undefined, undefined, undefined, ""],
  ]);
  while (store.canRedo) store.redo();
  expect([names(store.regions), store.active, store.mask.box()?.left]).toEqual([[], "", 10]);
});

test("a drawing that is undone is undone in the list as well", () => {
  const { store, told } = kept();
  store.commit(box(10));
  store.undo();
  expect(lefts(told.at(-1)!.regions)).toEqual([0]);
});

test("what Python makes of a drawing is no step of its own, what it changes is", () => {
  const { store } = kept();
  store.commit(box(10));
  const echoed = withMask(store.regions, "Region 1", box(10)).map((entry) => ({ ...entry }));
  expect(store.adopt({ mask: box(10), regions: echoed, active: "Region 1" })).toBe(false);
  store.undo();
  expect(store.mask).toEqual(box(0));
  store.redo();
  const hidden = changed(store.regions, "Region 1", { visible: false });
  expect(store.adopt({ mask: box(10), regions: hidden, active: "Region 1" })).toBe(false);
  store.undo();
  expect(store.regions[0]!.visible).toBe(true);
  expect(store.mask).toEqual(box(10));
});

test("lists are equal when names, colours, visibility and masks are", () => {
  const list = added([], writeMask(box(0)));
  expect(sameList(list, changed(list, "Region 1", writeMask(box(0))), "")).toBe(true);
  expect(sameList(list, changed(list, "Region 1", writeMask(box(1))), "")).toBe(false);
  expect(sameList(list, changed(list, "Region 1", writeMask(box(1))), "Region 1")).toBe(true);
  expect(sameList(list, changed(list, "Region 1", { color: "#000000" }), "Region 1")).toBe(false);
  expect(sameList(list, [], "")).toBe(false);
});

test("every slice keeps its own steps, and notices what was changed meanwhile", () => {
  const sent: Mask[] = [];
  const store = new RegionStore(alone(box(0)), ({ mask }) => sent.push(mask), "axial/1");
  store.commit(box(5));
  store.visit("axial/2", alone(new Mask(4, 40)));
  expect(store.canUndo).toBe(false);
  store.commit(box(20));
  store.visit("axial/1", alone(box(5)));
  expect(store.canRedo).toBe(false);
  store.undo();
  expect(store.mask).toEqual(box(0));
  store.visit("axial/2", alone(box(30)));
  store.undo();
  expect(store.mask).toEqual(box(20));
  store.undo();
  expect(store.mask.count()).toBe(0);
  expect(sent).toHaveLength(5);
});
