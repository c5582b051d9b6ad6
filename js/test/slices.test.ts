import { beforeEach, expect, test, vi } from "vitest";
import { neighbours, Slices } from "../src/slices";
import type { Model } from "../src/traits";

test("a walk is asked for ahead, and a little behind", () => {
  expect(neighbours(10, 1)).toEqual([11, 9, 12, 13, 14, 15, 16, 8]);
  expect(neighbours(10, -1)).toEqual([9, 11, 8, 7, 6, 5, 4, 12]);
});

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("window", globalThis);
});

/** A page on a volume of twelve slices: what it asks for, and a kernel that answers when told. */
function page() {
  const traits = { plane: "axial", index: 5, count: 12 };
  const asked: number[][] = [];
  let hear: (message: unknown, buffers: DataView[]) => void = () => {};
  const model = {
    get: (name: keyof typeof traits) => traits[name],
    on: (_name: string, callback: typeof hear) => {
      hear = callback;
    },
    send: ({ indices }: { indices: number[] }) => asked.push(indices),
  };
  const slices = new Slices(model as unknown as Model, () => slices.askAhead());
  const image = { id: 0, shape: [1, 1, 1], dtype: "uint8", offset: 0, lo: [0], hi: [1] };
  const answer = (index: number) =>
    hear({ type: "slice", plane: "axial", index, image }, [new DataView(new ArrayBuffer(1))]);
  const go = (index: number) => {
    traits.index = index;
    slices.askAhead();
  };
  return { slices, asked, answer, go };
}

test("after a jump nothing is asked for until it rests, then little at once", () => {
  const { asked, go, answer } = page();
  go(2);
  go(8);
  expect(asked).toEqual([]);
  vi.runAllTimers();
  expect(asked).toEqual([[9, 7]]);
  answer(9);
  answer(7);
  expect(asked.flat()).toEqual([9, 7, 10, 11]);
});

test("a walk is asked for at once, four slices on their way, none twice, none outside", () => {
  const { slices, asked, go, answer } = page();
  go(5);
  vi.runAllTimers();
  asked.length = 0;
  answer(6);
  answer(4);
  go(6);
  expect(slices.get("axial/6")).toBeDefined();
  const walked = asked.flat();
  expect(new Set(walked).size).toBe(walked.length);
  for (const index of walked) answer(index);
  go(10);
  vi.runAllTimers();
  for (let n = 0; n < 30; n++) for (const index of asked.flat()) answer(index);
  const all = asked.flat();
  expect(new Set(all).size).toBe(all.length);
  expect(Math.min(...all)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...all)).toBe(11);
});

test("what nobody answers is asked for again", () => {
  const { asked, go } = page();
  go(5);
  vi.runAllTimers();
  go(6);
  vi.advanceTimersByTime(2100);
  go(7);
  expect(asked.flat().filter((index) => index === 8).length).toBeGreaterThan(0);
  const before = asked.length;
  vi.advanceTimersByTime(2100);
  go(8);
  expect(asked.length).toBe(before + 1);
});
