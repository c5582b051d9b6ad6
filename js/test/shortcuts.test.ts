import { expect, test } from "vitest";
import { REGION_KEYS, SLICE_KEYS, shortcutOf, TOOL_KEYS, VIEW_KEYS } from "../src/shortcuts";
import { TOOLS } from "../src/traits";

const press = (
  key: string,
  held: Partial<Record<"ctrl" | "meta" | "shift" | "alt", boolean>> = {},
) =>
  shortcutOf({
    key,
    ctrlKey: held.ctrl ?? false,
    metaKey: held.meta ?? false,
    shiftKey: held.shift ?? false,
    altKey: held.alt ?? false,
  });

test("no key does two things", () => {
  const keys = [...TOOL_KEYS, ...REGION_KEYS, ...VIEW_KEYS, ...SLICE_KEYS].flatMap(
    ({ keys }) => keys,
  );
  expect(new Set(keys).size).toBe(keys.length);
});

test("every tool has a key", () => {
  expect(TOOL_KEYS.map(({ tool }) => tool).sort()).toEqual([...TOOLS].sort());
});

test("Ctrl and Cmd undo, with Shift they redo", () => {
  expect(press("z", { ctrl: true })?.words).toBe("Undo");
  expect(press("z", { meta: true })?.words).toBe("Undo");
  expect(press("Z", { ctrl: true, shift: true })?.words).toBe("Redo");
  expect(press("y", { ctrl: true })?.words).toBe("Redo");
});

test("a browser's own keys stay the browser's", () => {
  for (const key of ["c", "v", "b", "f", "0", "+", "-"]) {
    expect(press(key, { ctrl: true })).toBeUndefined();
  }
  expect(press("b", { alt: true })).toBeUndefined();
});
