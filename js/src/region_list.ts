import type { Mask } from "./mask";
import type { Bytes, MaskWire, NamedWire } from "./traits";
import { writeMask } from "./wire";

/** What the list of named regions does, without a page. Every change gives a new list. */

export const COLORS = ["#ffd60a", "#ff9f43", "#f472b6", "#a3e635", "#38bdf8", "#c4b5fd"] as const;

/** The first of "Region 1", "Region 2", ... that is free. */
export function freeName(list: readonly NamedWire[]): string {
  const taken = new Set(list.map(({ name }) => name));
  let number = 1;
  while (taken.has(`Region ${number}`)) number++;
  return `Region ${number}`;
}

export function added(list: readonly NamedWire[], mask: MaskWire): readonly NamedWire[] {
  const color = COLORS.find((each) => list.every((entry) => entry.color !== each)) ?? COLORS[0];
  const { shape, data } = mask;
  return [...list, { name: freeName(list), color, visible: true, shape, data }];
}

/** The list with a new name for one entry; the same list where that name is empty or taken. */
export function renamed(
  list: readonly NamedWire[],
  name: string,
  next: string,
): readonly NamedWire[] {
  const wanted = next.trim();
  if (!wanted || list.some((entry) => entry.name === wanted)) return list;
  return changed(list, name, { name: wanted });
}

export function changed(
  list: readonly NamedWire[],
  name: string,
  change: Partial<NamedWire>,
): readonly NamedWire[] {
  return list.map((entry) => (entry.name === name ? { ...entry, ...change } : entry));
}

export const removed = (list: readonly NamedWire[], name: string): readonly NamedWire[] =>
  list.filter((entry) => entry.name !== name);

/** The list with the mask of one entry; the same list where that is its mask, or it has no entry. */
export function withMask(
  list: readonly NamedWire[],
  name: string,
  mask: Mask,
): readonly NamedWire[] {
  const entry = list.find((each) => each.name === name);
  if (!entry) return list;
  const wire = writeMask(mask);
  return sameBytes(entry.data, wire.data) ? list : changed(list, name, wire);
}

/** Whether two lists are equal, whatever the mask of the entry called `except`. */
export function sameList(
  a: readonly NamedWire[],
  b: readonly NamedWire[],
  except: string,
): boolean {
  if (a === b) return true;
  return a.length === b.length && a.every((entry, index) => same(entry, b[index]!, except));
}

function same(a: NamedWire, b: NamedWire, except: string): boolean {
  const called = a.name === b.name && a.color === b.color && a.visible === b.visible;
  return called && (a.name === except || sameBytes(a.data, b.data));
}

const bytes = (data: Bytes) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

function sameBytes(a: Bytes, b: Bytes): boolean {
  const theirs = bytes(b);
  return a === b || (a.byteLength === b.byteLength && bytes(a).every((v, i) => v === theirs[i]));
}
