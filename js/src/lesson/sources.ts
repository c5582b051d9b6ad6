import { colorEffects, colorTable } from "../colormap";
import type { Mask } from "../mask";
import { renderPicture, suggestedWindow } from "../pixels";
import { canvasOf, edgeOf } from "../scene";
import type { ImageWire, MaskWire } from "../traits";
import { type Picture, readEffect, readImage, readMask } from "../wire";
import type { Grid } from "./places";
import type { StageModel } from "./traits";

/** Keeps what was made of a value until another value comes. */
function memo<A, B>(make: (value: A) => B): (value: A) => B {
  let last: { value: A; made: B } | null = null;
  return (value) => {
    if (!last || last.value !== value) last = { value, made: make(value) };
    return last.made;
  };
}

const read = (wire: ImageWire | null): Picture | null => (wire ? readImage(wire) : null);

/** What the traits mean, ready to be painted. */
export class Sources {
  private readonly pictureOf = memo(read);
  private readonly pasteOf = memo(read);
  private readonly maskOf = memo((wire: MaskWire | null) => (wire ? readMask(wire) : null));
  private readonly drawn = memo((picture: Picture | null) => this.render(picture));
  private readonly drawnPaste = memo((picture: Picture | null) => this.render(picture));
  private readonly edges = new Map<string, (wire: MaskWire | null) => Path2D | null>();

  constructor(private readonly model: StageModel) {}

  get picture(): Picture | null {
    return this.pictureOf(this.model.get("image"));
  }

  get region(): Mask | null {
    return this.maskOf(this.model.get("region"));
  }

  get grid(): Grid {
    const { height, width } = this.picture ?? { height: 1, width: 1 };
    return { height, width, size: this.model.get("patch_size") };
  }

  get pictureCanvas(): HTMLCanvasElement | null {
    return this.drawn(this.picture);
  }

  /** The content of the dragged patch, in the picture's own greys. */
  get pasteCanvas(): HTMLCanvasElement | null {
    return this.drawnPaste(this.pasteOf(this.model.get("paste")));
  }

  edge(name: "region" | "prediction" | "original" | "truth"): Path2D | null {
    const make = this.edges.get(name) ?? memo((wire) => (wire ? edgeOf(readMask(wire)) : null));
    this.edges.set(name, make);
    return make(this.model.get(name));
  }

  get effectCanvas(): HTMLCanvasElement | null {
    const wire = this.model.get("effect");
    if (!wire) return null;
    const { effect, columns, rows, limit } = readEffect(wire);
    const table = colorTable(this.model.get("colormap"));
    return canvasOf(colorEffects(effect, limit, table, null), columns, rows);
  }

  private render(picture: Picture | null): HTMLCanvasElement | null {
    const whole = this.picture;
    if (!picture || !whole) return null;
    const channel = whole.channels === 3 ? -1 : 0;
    const pixels = renderPicture(picture, channel, suggestedWindow(whole, channel));
    return canvasOf(pixels, picture.width, picture.height);
  }
}
