import { colorEffects, colorTable } from "./colormap";
import type { Mask } from "./mask";
import { coarse, renderPicture, suggestedWindow, type Window } from "./pixels";
import { canvasOf } from "./scene";
import { Slices } from "./slices";
import type { Model } from "./traits";
import {
  type EffectMap,
  type Picture,
  readEffect,
  readImage,
  readMask,
  readProbability,
} from "./wire";

/** Pixels of a picture whose window is being dragged. */
const WHILE_DRAGGED = 600_000;

/** Computes again only when one of the values it was computed from is another. */
class Cached<T> {
  private from: readonly unknown[] = [];
  private value: T | undefined;

  get(from: readonly unknown[], compute: () => T): T {
    const same = from.length === this.from.length && from.every((v, i) => v === this.from[i]);
    if (!same || this.value === undefined) {
      this.value = compute();
      this.from = from;
    }
    return this.value;
  }
}

/** What the traits hold, decoded and coloured once per value. */
export class Sources {
  private decoded = new Cached<Picture | null>();
  private grey = new Cached<HTMLCanvasElement | null>();
  private reduced = new Cached<Picture | null>();
  private effects = new Cached<EffectMap | null>();
  private colored = new Cached<HTMLCanvasElement | null>();
  private masks = { prediction: new Cached<Mask | null>(), truth: new Cached<Mask | null>() };
  private probabilities = new Cached<Uint16Array | null>();
  private table = new Cached<Uint8Array>();
  /** A window that is being dragged and not yet a trait. */
  draggedWindow: Window | null = null;

  private readonly slices: Slices;

  constructor(
    private readonly model: Model,
    arrived: () => void,
  ) {
    this.slices = new Slices(model, arrived);
  }

  /** The picture to show: the one of the trait, or a slice that is here before Python's answer. */
  get picture(): Picture | null {
    const wire = this.model.get("image");
    const own = this.decoded.get([wire], () => {
      if (!wire) return null;
      const picture = readImage(wire);
      if (wire.place) this.slices.keep(wire.place, picture);
      return picture;
    });
    return this.ahead ? (this.slices.get(this.slices.wanted) ?? own) : own;
  }

  /** Whether the traits ask for a slice that Python has not answered yet. */
  get ahead(): boolean {
    const wire = this.model.get("image");
    return wire !== null && wire.place !== this.slices.wanted;
  }

  askAhead(): void {
    if (!this.ahead) this.slices.askAhead();
  }

  /** The channel shown; -1 shows three channels as colour. */
  get channel(): number {
    const channels = this.picture?.channels ?? 1;
    const channel = this.model.get("channel");
    if (channel < 0) return channels === 3 ? -1 : 0;
    return Math.min(channel, channels - 1);
  }

  get window(): Window {
    const picture = this.picture;
    const chosen = this.draggedWindow ?? this.model.get("window");
    if (chosen || !picture) return chosen ?? [0, 1];
    return suggestedWindow(picture, this.channel);
  }

  get pictureCanvas(): HTMLCanvasElement | null {
    const { channel, window } = this;
    const whole = this.picture;
    const picture = this.draggedWindow
      ? this.reduced.get([whole], () => whole && coarse(whole, WHILE_DRAGGED))
      : whole;
    return this.grey.get([picture, channel, window[0], window[1]], () => {
      if (!picture) return null;
      return canvasOf(renderPicture(picture, channel, window), picture.width, picture.height);
    });
  }

  get effect(): EffectMap | null {
    const wire = this.model.get("effect");
    return this.effects.get([wire], () => (wire ? readEffect(wire) : null));
  }

  /** Points at both ends of the colour scale. */
  get limit(): number {
    return this.model.get("limit") || this.effect?.limit || 1;
  }

  get effectCanvas(): HTMLCanvasElement | null {
    const { effect, limit } = this;
    const name = this.model.get("colormap");
    const masked = this.model.get("significant");
    return this.colored.get([effect, limit, name, masked], () => {
      if (!effect) return null;
      const table = this.table.get([name], () => colorTable(name));
      const shown = masked ? effect.significant : null;
      const pixels = colorEffects(effect.effect, limit, table, shown);
      return canvasOf(pixels, effect.columns, effect.rows);
    });
  }

  get patchSize(): number {
    return this.effect?.patchSize ?? this.model.get("patch_size");
  }

  /** Probability of the target at a pixel, 0..1; null where none is known. */
  probabilityAt(row: number, column: number): number | null {
    const wire = this.model.get("probability");
    const values = this.probabilities.get([wire], () => (wire ? readProbability(wire) : null));
    const value = wire && values?.[row * wire.shape[1] + column];
    return value === undefined || value === null ? null : value / 65535;
  }

  mask(name: "prediction" | "truth"): Mask | null {
    const wire = this.model.get(name);
    return this.masks[name].get([wire], () => (wire ? readMask(wire) : null));
  }
}
