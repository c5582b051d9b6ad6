import type { ImageWire, Model } from "./traits";
import { type Picture, readImage } from "./wire";

/** Bytes of slices kept; the neighbours of the one shown are kept whatever their size. */
const KEPT_BYTES = 128e6;
const KEPT_LEAST = 5;
/** How far slices are asked for ahead: where a walk leads to, and on the other side. */
const AHEAD = 6;
const BEHIND = 2;
/** Slices on their way at once: what is wanted after a jump never waits for many. */
const WALKING = 4;
const RESTING = 2;
/** Slices that a walk may step over; whoever jumps further may jump again. */
const STRIDE = 3;
const SETTLED_MS = 200;
/** A question that nobody answered is asked again after this long. */
const PATIENCE_MS = 2000;

interface SliceMessage {
  readonly type: "slice";
  readonly plane: string;
  readonly index: number;
  readonly image: Omit<ImageWire, "data" | "place">;
}

/** Slices of a volume that came before they were needed: the neighbours of the one shown. */
export class Slices {
  private readonly kept = new Map<string, Picture>();
  private readonly asked = new Set<string>();
  private bytes = 0;
  private plane = "";
  private index = 0;
  private step = 1;
  private walks = false;
  private waiting = 0;
  private askedAt = 0;

  constructor(
    private readonly model: Model,
    private readonly arrived: () => void,
  ) {
    model.on("msg:custom", (message: SliceMessage, buffers: DataView[]) => {
      const data = buffers[0];
      if (message.type !== "slice" || !data) return;
      this.keep(`${message.plane}/${message.index}`, readImage({ ...message.image, data }));
      this.arrived();
    });
  }

  /** The slice that the traits ask for, as Python names it; empty without a volume. */
  get wanted(): string {
    const plane = this.model.get("plane");
    return plane === undefined ? "" : `${plane}/${this.model.get("index")}`;
  }

  get(place: string): Picture | undefined {
    return this.kept.get(place);
  }

  keep(place: string, picture: Picture): void {
    this.asked.delete(place);
    this.drop(place);
    this.kept.set(place, picture);
    this.bytes += picture.values.byteLength;
    for (const oldest of this.kept.keys()) {
      if (this.bytes <= KEPT_BYTES || this.kept.size <= KEPT_LEAST) break;
      this.drop(oldest);
    }
  }

  private drop(place: string): void {
    this.bytes -= this.kept.get(place)?.values.byteLength ?? 0;
    this.kept.delete(place);
  }

  /** Asks for neighbours that are neither here nor on their way; after a jump, once it rests. */
  askAhead(): void {
    const { model } = this;
    const plane = model.get("plane");
    const index = model.get("index");
    if (plane === undefined || index === undefined) return;
    if (plane !== this.plane || index !== this.index) {
      const step = index - this.index;
      this.walks = plane === this.plane && Math.abs(step) <= STRIDE;
      this.plane = plane;
      this.index = index;
      this.step = Math.sign(step) || 1;
      clearTimeout(this.waiting);
      this.waiting = this.walks ? 0 : window.setTimeout(this.settled, SETTLED_MS);
    }
    const now = performance.now();
    if (now - this.askedAt > PATIENCE_MS) this.asked.clear();
    const room = (this.walks ? WALKING : RESTING) - this.asked.size;
    if (this.waiting || room <= 0) return;
    const indices = this.missing(plane, index).slice(0, room);
    if (indices.length === 0) return;
    this.askedAt = now;
    for (const next of indices) this.asked.add(`${plane}/${next}`);
    model.send({ type: "slices", plane, indices });
  }

  private settled = (): void => {
    this.waiting = 0;
    this.arrived();
  };

  private here(place: string): boolean {
    return this.kept.has(place) || this.asked.has(place);
  }

  /** Neighbours that are neither here nor on their way, the likeliest first. */
  private missing(plane: string, index: number): number[] {
    const count = this.model.get("count") ?? 0;
    return neighbours(index, this.step).filter(
      (next) => next >= 0 && next < count && !this.here(`${plane}/${next}`),
    );
  }
}

/** Slices around one, in the order in which somebody who walks by `step` will want them. */
export function neighbours(index: number, step: number): number[] {
  const ahead = Array.from({ length: AHEAD }, (_, n) => index + (n + 1) * step);
  const behind = Array.from({ length: BEHIND }, (_, n) => index - (n + 1) * step);
  return [ahead[0]!, behind[0]!, ...ahead.slice(1), ...behind.slice(1)];
}
