import { expect, test } from "vitest";
import { added, COLORS, changed, freeName, removed, renamed } from "../src/region_list";
import type { NamedWire } from "../src/traits";

const mask = { shape: [1, 8], data: new Uint8Array(1) } as const;
const three = [1, 2, 3].reduce<readonly NamedWire[]>((list) => added(list, mask), []);

test("new regions have names and colours of their own", () => {
  expect(three.map(({ name }) => name)).toEqual(["Region 1", "Region 2", "Region 3"]);
  expect(three.map(({ color }) => color)).toEqual(COLORS.slice(0, 3));
});

test("a name that became free is used again", () => {
  expect(freeName(removed(three, "Region 2"))).toBe("Region 2");
});

test("a colour is used twice only when all are in use", () => {
  let list: readonly NamedWire[] = [];
  for (let i = 0; i <= COLORS.length; i++) list = added(list, mask);
  expect(new Set(list.map(({ color }) => color)).size).toBe(COLORS.length);
});

test("renaming refuses what is empty or taken, by giving the same list", () => {
  expect(renamed(three, "Region 1", " ")).toBe(three);
  expect(renamed(three, "Region 1", "Region 3")).toBe(three);
  expect(renamed(three, "Region 1", " tumour ")[0]!.name).toBe("tumour");
});

test("changing one entry leaves the others as they are", () => {
  const list = changed(three, "Region 2", { visible: false });
  expect(list.map(({ visible }) => visible)).toEqual([true, false, true]);
  expect(list[0]).toBe(three[0]);
});
