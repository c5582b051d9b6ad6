import type { Model } from "./traits";

/** The part of an ipycanvas model that we use. */
interface CanvasModel {
  readonly canvas: HTMLCanvasElement;
  on(event: string, callback: () => void): void;
  off(event: string, callback: () => void): void;
}

const PREFIX = "IPY_MODEL_";

/** ipycanvas canvases of the Python side, by name; calls back when one of them was drawn on. */
export class Children {
  readonly canvases = new Map<string, HTMLCanvasElement>();
  /** Rises with every drawing. */
  drawings = 0;
  private models: CanvasModel[] = [];
  private turn = 0;

  constructor(
    private readonly model: Model,
    private readonly changed: () => void,
    signal: AbortSignal,
  ) {
    model.on("change:layer_models", this.load);
    signal.addEventListener("abort", () => this.release());
    void this.load();
  }

  private drawn = (): void => {
    this.drawings++;
    this.changed();
  };

  private load = async (): Promise<void> => {
    const turn = ++this.turn;
    const ids = this.model.get("layer_models") ?? [];
    const names = this.model.get("layer_names") ?? [];
    const found = await Promise.all(ids.map((id) => this.find(id)));
    if (turn !== this.turn) return;
    this.release();
    found.forEach((child, index) => {
      if (!child) return;
      this.models.push(child);
      this.canvases.set(names[index] ?? "", child.canvas);
      child.on("new-frame", this.drawn);
    });
    // What was drawn before this page knew the canvases' manager did not arrive.
    if (this.models.length > 0) this.model.send({ type: "layers" });
    this.drawn();
  };

  /** Null where a page has no such model, as in a notebook that was saved without its state. */
  private async find(id: string): Promise<CanvasModel | null> {
    const manager = this.model.widget_manager;
    if (!manager) return null;
    try {
      const child: unknown = await manager.get_model(id.slice(PREFIX.length));
      return (child as CanvasModel).canvas ? (child as CanvasModel) : null;
    } catch {
      return null;
    }
  }

  private release(): void {
    for (const child of this.models) child.off("new-frame", this.drawn);
    this.models = [];
    this.canvases.clear();
  }
}
