import { expect, test } from "vitest";
import { History } from "../src/history";
import { Mask } from "../src/mask";
import { RegionStore } from "../src/region_store";
import { alone } from "./sketches";

const filled = (left: number) => new Mask(4, 40).fillBox({ top: 1, left, height: 2, width: 3 });

test("a thousand steps can be undone and redone", () => {
  const history = new History(alone(new Mask(4, 40)));
  for (let step = 0; step < 1000; step++) history.push(alone(filled(step % 37)));
  for (let step = 998; step >= 0; step--) expect(history.undo()?.mask).toEqual(filled(step % 37));
  expect(history.undo()?.mask).toEqual(new Mask(4, 40));
  expect(history.undo()).toBeNull();
  for (let step = 0; step < 1000; step++) expect(history.redo()?.mask).toEqual(filled(step % 37));
  expect(history.redo()).toBeNull();
});

test("drawing after undo forgets what was undone", () => {
  const history = new History(alone(filled(0)));
  history.push(alone(filled(1)));
  history.undo();
  history.push(alone(filled(2)));
  expect(history.canRedo).toBe(false);
  expect(history.undo()?.mask).toEqual(filled(0));
});

function store() {
  const sent: [Mask, boolean][] = [];
  return {
    sent,
    store: new RegionStore(alone(new Mask(4, 40)), ({ mask }, final) => sent.push([mask, final])),
  };
}

const box = (left: number) =>
  ({ shape: { kind: "box", box: { top: 1, left, height: 2, width: 3 } } }) as const;

test("each drawing is told once, undo and redo tell again", () => {
  const { sent, store: region } = store();
  region.draw(box(0), "replace");
  region.draw(box(10), "add");
  region.undo();
  region.redo();
  expect(sent.map(([mask, final]) => [mask.count(), final])).toEqual([
    [6, true],
    [12, true],
    [6, true],
    [12, true],
  ]);
});

test("a drawing that changes nothing is not told", () => {
  const { sent, store: region } = store();
  region.draw(box(0), "replace");
  region.draw(box(0), "add");
  expect(sent).toHaveLength(1);
});

test("previews are told and not remembered", () => {
  const { sent, store: region } = store();
  region.preview(box(5), "replace", region.mask);
  expect(sent.map(([mask, final]) => [mask.count(), final])).toEqual([[6, false]]);
  expect(region.canUndo).toBe(false);
});

test("a region from elsewhere can be undone; one of another size starts anew", () => {
  const { sent, store: region } = store();
  region.adopt(alone(filled(3)));
  expect(region.canUndo).toBe(true);
  region.adopt(alone(new Mask(9, 9)));
  expect(region.canUndo).toBe(false);
  expect(sent).toEqual([]);
});

test("an edited shape replaces itself on the region it was drawn onto", () => {
  const { store: region } = store();
  region.draw(box(0), "replace");
  region.draw(box(10), "add");
  const { base, mode } = region.live!;
  region.draw(box(20), mode, base);
  expect(region.mask.box()).toEqual({ top: 1, left: 0, height: 2, width: 23 });
  expect(region.mask.count()).toBe(12);
});
