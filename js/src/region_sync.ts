import type { Sketch } from "./history";
import type { Mask } from "./mask";
import { sameList } from "./region_list";
import { RegionStore } from "./region_store";
import type { Model, Traits } from "./traits";
import { readMask, writeMask } from "./wire";

const PREVIEW_MS = 50;

/** Keeps the regions of a view and the traits the same, whichever of them changes. */
export class RegionSync {
  readonly store: RegionStore;
  private read: { wire: Traits["region"]; mask: Mask };
  private preview: Mask | null = null;
  private publishing = false;
  private lastPreview = 0;
  private place: string;

  constructor(
    private readonly model: Model,
    private readonly adopted: () => void,
  ) {
    const wire = model.get("region");
    this.read = { wire, mask: readMask(wire ?? EMPTY) };
    this.place = this.shown;
    this.store = new RegionStore(this.sketch(), this.publish, this.place);
    for (const name of ["region", "regions", "active", "image"]) {
      model.on(`change:${name}`, this.adopt);
    }
  }

  /** The slice that the traits hold, as Python names it. */
  private get shown(): string {
    return this.model.get("image")?.place ?? "";
  }

  private sketch(): Sketch {
    const { model } = this;
    const wire = model.get("region");
    if (wire && wire !== this.read.wire) this.read = { wire, mask: readMask(wire) };
    return {
      mask: this.read.mask,
      regions: model.get("regions") ?? [],
      active: model.get("active") ?? "",
    };
  }

  /** Takes over what was set elsewhere: by Python, or in another view. */
  private adopt = (): void => {
    if (this.publishing) return;
    const sketch = this.sketch();
    if (this.place !== this.shown) {
      this.place = this.shown;
      this.store.visit(this.place, sketch);
      this.adopted();
    } else if (!this.preview?.equals(sketch.mask) && this.store.adopt(this.brought(sketch))) {
      this.adopted();
    }
  };

  /** With another active name comes its region, even before Python says so. */
  private brought(sketch: Sketch): Sketch {
    if (sketch.active === this.store.active) return sketch;
    const entry = sketch.regions.find(({ name }) => name === sketch.active);
    return entry ? { ...sketch, mask: readMask(entry) } : sketch;
  }

  private publish = (sketch: Sketch, final: boolean): void => {
    const now = performance.now();
    if (!final && now - this.lastPreview < PREVIEW_MS) return;
    this.lastPreview = now;
    this.preview = final ? null : sketch.mask;
    this.publishing = true;
    this.write(sketch, final);
    this.publishing = false;
  };

  /** Python keeps the active one of the list as the region is: the list is sent for the others. */
  private write({ mask, regions, active }: Sketch, final: boolean): void {
    const { model } = this;
    if (mask !== this.read.mask || !final) {
      this.read = { wire: writeMask(mask), mask };
      model.set("region", this.read.wire);
    }
    if (!sameList(regions, model.get("regions") ?? [], active)) model.set("regions", regions);
    if (active !== (model.get("active") ?? "")) model.set("active", active);
    model.set("drawing", !final);
    model.save_changes();
  }
}

const EMPTY = { shape: [1, 1] as const, data: new Uint8Array(1) };
