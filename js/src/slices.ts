import type { ImageWire, Model } from "./traits";
import { type Picture, readImage } from "./wire";

/** Slices kept, and slices asked for ahead in each direction. */
const KEPT = 64;
const AHEAD = 4;

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

  constructor(
    private readonly model: Model,
    arrived: () => void,
  ) {
    model.on("msg:custom", (message: SliceMessage, buffers: DataView[]) => {
      const data = buffers[0];
      if (message.type !== "slice" || !data) return;
      this.keep(`${message.plane}/${message.index}`, readImage({ ...message.image, data }));
      arrived();
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
    this.kept.delete(place);
    this.kept.set(place, picture);
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= KEPT) break;
      this.kept.delete(oldest);
    }
  }

  /** Asks for the neighbours that are neither here nor on their way, nearest first. */
  askAhead(): void {
    const { model } = this;
    const plane = model.get("plane");
    const index = model.get("index");
    if (plane === undefined || index === undefined) return;
    const indices: number[] = [];
    for (let step = 1; step <= AHEAD; step++) {
      for (const next of [index + step, index - step]) {
        const place = `${plane}/${next}`;
        const inside = next >= 0 && next < (model.get("count") ?? 0);
        if (!inside || this.kept.has(place) || this.asked.has(place)) continue;
        this.asked.add(place);
        indices.push(next);
      }
    }
    if (indices.length > 0) model.send({ type: "slices", plane, indices });
  }
}
