import type { CanvasView } from "./canvas_view";
import type { Part } from "./controls";
import { assign, h, iconButton, write } from "./dom";
import { PLANES, type Plane } from "./traits";

const FRAME_MS = 100;

const words = (plane: Plane): string => `${plane[0]!.toUpperCase()}${plane.slice(1)}`;

/** Plane, slice and play of a volume; hidden for a single picture. */
export function sliceBar(view: CanvasView, signal: AbortSignal): Part {
  const planes = PLANES.map((plane) => {
    const button = h("button", { type: "button", class: "pdcr-plane" }, words(plane));
    button.addEventListener("click", () => view.set("plane", plane));
    return [plane, button] as const;
  });
  const play = iconButton("play", "Play through the slices");
  const input = h("input", { type: "range", min: "0", step: "1", "aria-label": "Slice" });
  const value = h("output", { class: "pdcr-value" });
  input.addEventListener("input", () => view.moveSlice(Number(input.value) - index()));
  const index = () => view.model.get("index") ?? 0;
  const stop = player(view, play, signal);
  input.addEventListener("pointerdown", stop);
  const group = { class: "pdcr-group", role: "group", "aria-label": "Plane" };
  const element = h(
    "div",
    { class: "pdcr-slices" },
    h("div", group, ...planes.map(([, button]) => button)),
    play,
    input,
    value,
  );
  return {
    element,
    refresh() {
      const count = view.model.get("count");
      element.hidden = count === undefined;
      if (count === undefined) return;
      const chosen = view.model.get("plane");
      for (const [plane, button] of planes) {
        assign(button, "aria-pressed", String(plane === chosen));
      }
      assign(input, "max", String(count - 1));
      input.value = String(index());
      write(value, `${index()} of ${count}`);
    },
  };
}

/** Goes round the slices while the button is pressed in; gives what stops it. */
function player(view: CanvasView, button: HTMLButtonElement, signal: AbortSignal): () => void {
  let timer = 0;
  const stop = () => {
    window.clearInterval(timer);
    timer = 0;
    button.setAttribute("aria-pressed", "false");
  };
  const step = () => {
    const last = (view.model.get("count") ?? 1) - 1;
    const index = view.model.get("index") ?? 0;
    if (!view.sources.ahead) view.moveSlice(index < last ? 1 : -last);
  };
  button.addEventListener("click", () => {
    if (timer) {
      stop();
      return;
    }
    timer = window.setInterval(step, FRAME_MS);
    button.setAttribute("aria-pressed", "true");
  });
  stop();
  signal.addEventListener("abort", stop);
  return stop;
}
