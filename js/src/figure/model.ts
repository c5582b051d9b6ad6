import type { Model } from "../traits";

type Callback = (...values: never[]) => void;
type State = Record<string, unknown>;

interface Child {
  readonly canvas: HTMLCanvasElement;
  on(): void;
  off(): void;
}

/** Stands in for a widget's model where there is no kernel: state, change events, and nothing else. */
export class FigureModel {
  private readonly callbacks = new Map<string, Set<Callback>>();
  readonly widget_manager: { get_model(id: string): Promise<Child> };

  /** Traits in `fixed` keep their value, whatever a view sets. */
  constructor(
    private readonly state: State,
    private readonly fixed: ReadonlySet<string>,
    canvases: ReadonlyMap<string, HTMLCanvasElement>,
  ) {
    this.widget_manager = {
      async get_model(id) {
        const canvas = canvases.get(id);
        if (!canvas) throw new Error(`there is no canvas called ${id}`);
        return { canvas, on() {}, off() {} };
      },
    };
  }

  get(name: string): unknown {
    return this.state[name];
  }

  set(name: string, value: unknown): void {
    if (this.fixed.has(name)) queueMicrotask(() => this.emit(name));
    else this.show({ [name]: value });
  }

  /** Sets traits, fixed ones included, and tells those that listen. */
  show(values: State): void {
    const changed = Object.keys(values).filter((name) => values[name] !== this.state[name]);
    for (const name of changed) this.state[name] = values[name];
    for (const name of changed) this.emit(name);
  }

  on(event: string, callback: Callback): void {
    const held = this.callbacks.get(event) ?? new Set();
    this.callbacks.set(event, held.add(callback));
  }

  off(event: string, callback: Callback): void {
    this.callbacks.get(event)?.delete(callback);
  }

  save_changes(): void {}

  send(): void {}

  /** The same, as a view of the canvas takes it. */
  get asModel(): Model {
    return this as unknown as Model;
  }

  private emit(name: string): void {
    for (const callback of this.callbacks.get(`change:${name}`) ?? []) (callback as () => void)();
  }
}
