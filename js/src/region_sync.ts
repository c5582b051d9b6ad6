import type { Mask } from "./mask";
import { RegionStore } from "./region_store";
import type { Model, Traits } from "./traits";
import { readMask, writeMask } from "./wire";

const PREVIEW_MS = 50;

/** Keeps the region of a view and the trait the same, whichever of them changes. */
export class RegionSync {
  readonly store: RegionStore;
  private sent: Traits["region"] = null;
  private lastPreview = 0;

  constructor(
    private readonly model: Model,
    private readonly adopted: () => void,
  ) {
    const wire = model.get("region");
    this.store = new RegionStore(readMask(wire ?? EMPTY), this.publish);
    model.on("change:region", this.adopt);
    model.on("change:image", () => {
      const slice = model.get("region");
      if (model.get("image")?.place && slice) this.store.reset(readMask(slice));
    });
  }

  /** Takes over a region that was set elsewhere. */
  private adopt = (): void => {
    const wire = this.model.get("region");
    if (!wire || wire === this.sent) return;
    this.store.adopt(readMask(wire));
    this.adopted();
  };

  private publish = (mask: Mask, final: boolean): void => {
    const now = performance.now();
    if (!final && now - this.lastPreview < PREVIEW_MS) return;
    this.lastPreview = now;
    this.sent = writeMask(mask);
    this.model.set("region", this.sent);
    this.model.set("drawing", !final);
    this.model.save_changes();
  };
}

const EMPTY = { shape: [1, 1] as const, data: new Uint8Array(1) };
