import { Mask } from "./mask";
import { decodeRuns, encodeRuns } from "./runs";
import type { NamedWire } from "./traits";

/** What can be undone: the region, and the named ones beside it with the one that is drawn on. */
export interface Sketch {
  readonly mask: Mask;
  readonly regions: readonly NamedWire[];
  readonly active: string;
}

interface Entry {
  readonly height: number;
  readonly width: number;
  readonly runs: Uint32Array;
  readonly regions: readonly NamedWire[];
  readonly active: string;
}

/** Undo and redo without limit: every state is kept as run lengths, a few hundred bytes each. */
export class History {
  private past: Entry[] = [];
  private future: Entry[] = [];
  private present: Entry;

  constructor(initial: Sketch) {
    this.present = encode(initial);
  }

  push(sketch: Sketch): void {
    this.past.push(this.present);
    this.present = encode(sketch);
    this.future = [];
  }

  /** Changes the list of the present state, which is no step of its own. */
  amend(regions: readonly NamedWire[]): void {
    this.present = { ...this.present, regions };
  }

  now(): Sketch {
    return decode(this.present);
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  undo(): Sketch | null {
    const previous = this.past.pop();
    if (!previous) return null;
    this.future.push(this.present);
    this.present = previous;
    return decode(previous);
  }

  redo(): Sketch | null {
    const next = this.future.pop();
    if (!next) return null;
    this.past.push(this.present);
    this.present = next;
    return decode(next);
  }
}

function encode({ mask, regions, active }: Sketch): Entry {
  const { height, width } = mask;
  return { height, width, runs: encodeRuns(mask.data), regions, active };
}

function decode({ height, width, runs, regions, active }: Entry): Sketch {
  return { mask: new Mask(height, width, decodeRuns(runs, height * width)), regions, active };
}
