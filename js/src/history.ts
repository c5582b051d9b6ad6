import { Mask } from "./mask";
import { decodeRuns, encodeRuns } from "./runs";

interface Entry {
  readonly height: number;
  readonly width: number;
  readonly runs: Uint32Array;
}

/** Undo and redo without limit: every state is kept as run lengths, a few hundred bytes each. */
export class History {
  private past: Entry[] = [];
  private future: Entry[] = [];
  private present: Entry;

  constructor(initial: Mask) {
    this.present = encode(initial);
  }

  push(mask: Mask): void {
    this.past.push(this.present);
    this.present = encode(mask);
    this.future = [];
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  undo(): Mask | null {
    const previous = this.past.pop();
    if (!previous) return null;
    this.future.push(this.present);
    this.present = previous;
    return decode(previous);
  }

  redo(): Mask | null {
    const next = this.future.pop();
    if (!next) return null;
    this.past.push(this.present);
    this.present = next;
    return decode(next);
  }
}

function encode(mask: Mask): Entry {
  return { height: mask.height, width: mask.width, runs: encodeRuns(mask.data) };
}

function decode(entry: Entry): Mask {
  const data = decodeRuns(entry.runs, entry.height * entry.width);
  return new Mask(entry.height, entry.width, data);
}
