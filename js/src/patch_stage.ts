import type { RenderProps } from "@anywidget/types";
import { watchConnection } from "./connection";
import { h } from "./dom";
import type { Point } from "./geometry";
import { type Look, paint } from "./lesson/paint";
import { cellAt, centred, inside, type Place, toggled, touches } from "./lesson/places";
import { Sources } from "./lesson/sources";
import "./lesson/stage.css";
import { STAGE_TRAITS, type StageModel } from "./lesson/traits";
import type { Model } from "./traits";

const LOST = "The connection is lost. Reload the page to go on.";

const STEPS: Readonly<Record<string, Place>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** A picture on which one patch is dragged, or patches are chosen; nothing else to learn first. */
class Stage {
  private readonly canvas = h("canvas", { class: "pdcr-lesson-stage", tabindex: "0" });
  private readonly sources: Sources;
  private requested = 0;
  private acknowledged = 0;
  private scale = 1;
  /** Where the patch is held, while it is dragged: the browser knows before Python does. */
  private held: { readonly place: Place; readonly grip: Point } | null = null;
  private cursor: Place | null = null;

  constructor(
    private readonly model: StageModel,
    private readonly cell: HTMLElement,
    private readonly signal: AbortSignal,
  ) {
    this.sources = new Sources(model);
    cell.append(this.canvas);
    for (const name of STAGE_TRAITS) model.on(`change:${name}`, this.invalidate);
    for (const name of ["image", "max_height"]) model.on(`change:${name}`, this.resize);
    model.on("change:effect", () => {
      if (document.hidden) this.acknowledge();
    });
    const observer = new ResizeObserver(this.resize);
    observer.observe(cell);
    signal.addEventListener("abort", () => observer.disconnect());
    const { canvas } = this;
    canvas.addEventListener("pointerdown", this.down, { signal });
    canvas.addEventListener("pointermove", this.move, { signal });
    for (const end of ["pointerup", "pointercancel"] as const)
      canvas.addEventListener(end, this.up, { signal });
    canvas.addEventListener("keydown", this.key, { signal });
    canvas.addEventListener("blur", () => this.look(null), { signal });
    this.resize();
  }

  private get place(): Place | null {
    return this.held?.place ?? this.model.get("place");
  }

  private resize = (): void => {
    const { height, width } = this.sources.grid;
    const highest = this.model.get("max_height");
    const shown = Math.floor(Math.min(this.cell.clientWidth, (highest * width) / height));
    if (shown <= 0) return;
    const ratio = window.devicePixelRatio;
    this.canvas.width = Math.round(shown * ratio);
    this.canvas.height = Math.round((shown * ratio * height) / width);
    this.canvas.style.width = `${shown}px`;
    this.scale = this.canvas.width / width;
    this.draw();
  };

  private invalidate = (): void => {
    if (this.requested || this.signal.aborted) return;
    this.requested = requestAnimationFrame(() => this.draw());
  };

  private draw(): void {
    cancelAnimationFrame(this.requested);
    this.requested = 0;
    const { canvas, model, scale, place, cursor } = this;
    const ratio = window.devicePixelRatio;
    canvas.setAttribute("aria-label", model.get("label"));
    canvas.setAttribute("role", model.get("mode") === "still" ? "img" : "application");
    canvas.dataset.mode = model.get("mode");
    const look: Look = { scale, ratio, place, cursor };
    paint(canvas.getContext("2d")!, model, this.sources, look);
    this.acknowledge();
  }

  /** Tells Python that a map was seen; it computes no further ahead. */
  private acknowledge(): void {
    const id = this.model.get("effect")?.id ?? 0;
    if (id === this.acknowledged) return;
    this.acknowledged = id;
    this.model.send({ type: "ack", id });
  }

  private at(event: PointerEvent): Point {
    const box = this.canvas.getBoundingClientRect();
    const { width, height } = this.sources.grid;
    return {
      x: ((event.clientX - box.left) / box.width) * width,
      y: ((event.clientY - box.top) / box.height) * height,
    };
  }

  private down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const at = this.at(event);
    const { grid } = this.sources;
    if (this.model.get("mode") === "drag") {
      this.canvas.setPointerCapture(event.pointerId);
      const old = this.model.get("place");
      const grip = old ? { x: at.x - old[1], y: at.y - old[0] } : { x: -1, y: -1 };
      const caught = Math.min(grip.x, grip.y) >= 0 && Math.max(grip.x, grip.y) < grid.size;
      const middle = { x: grid.size / 2, y: grid.size / 2 };
      this.hold(caught && old ? old : centred(grid, at), caught ? grip : middle);
    } else if (this.model.get("mode") === "tap") {
      this.choose(cellAt(grid, at));
    }
  };

  private move = (event: PointerEvent): void => {
    if (!this.held) return;
    const { x, y } = this.at(event);
    const { grip } = this.held;
    this.hold(inside(this.sources.grid, [y - grip.y, x - grip.x]), grip);
  };

  private up = (): void => {
    this.held = null;
    this.invalidate();
  };

  private hold(place: Place, grip: Point): void {
    this.held = { place, grip };
    this.put(place);
  }

  private put(place: Place): void {
    this.model.set("place", place);
    this.model.save_changes();
    this.invalidate();
  }

  private choose(cell: Place | null): void {
    const { region, grid } = this.sources;
    if (!cell || (region && touches(grid, region, cell))) return;
    this.model.set("chosen", toggled(this.model.get("chosen"), cell, this.model.get("most")));
    this.model.save_changes();
    this.invalidate();
  }

  private look(cursor: Place | null): void {
    this.cursor = cursor;
    this.invalidate();
  }

  private key = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    const { grid } = this.sources;
    const mode = this.model.get("mode");
    if (mode === "drag" && step) {
      const [row, column] = this.place ?? [0, 0];
      const length = event.shiftKey ? 1 : Math.max(1, Math.round(grid.size / 4));
      this.put(inside(grid, [row + step[0] * length, column + step[1] * length]));
    } else if (mode === "tap" && step) {
      const [row, column] = this.cursor ?? this.model.get("chosen").at(-1) ?? [0, 0];
      const rows = Math.ceil(grid.height / grid.size);
      const columns = Math.ceil(grid.width / grid.size);
      this.look([(row + step[0] + rows) % rows, (column + step[1] + columns) % columns]);
    } else if (mode === "tap" && (event.key === "Enter" || event.key === " ")) {
      this.choose(this.cursor);
    } else {
      return;
    }
    event.preventDefault();
  };
}

function render({ model, el, signal }: RenderProps): void {
  new Stage(model as unknown as StageModel, el, signal);
  const notice = h("p", { class: "pdcr-lesson-lost", role: "status" });
  el.append(notice);
  const tell = (connected: boolean) => {
    notice.textContent = connected ? "" : LOST;
    notice.hidden = connected;
  };
  tell(true);
  watchConnection(model as unknown as Model, tell, signal);
}

export default { render };
