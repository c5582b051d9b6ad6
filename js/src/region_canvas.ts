import type { RenderProps } from "@anywidget/types";
import { CanvasView } from "./canvas_view";
import { h, uniqueId } from "./dom";
import { Pointers } from "./pointer";
import { status } from "./status";
import "./styles.css";
import { toolbar } from "./toolbar";
import { type Model, TRAIT_NAMES } from "./traits";

function render({ model: anyModel, el, signal }: RenderProps): void {
  const model = anyModel as unknown as Model;
  const id = uniqueId("stage");
  const canvas = h("canvas", { class: "pdcr-stage", id, tabindex: "0", role: "application" });
  const view = new CanvasView(model, canvas, signal);
  const tools = toolbar(view, [], id);
  const line = status(view, signal);
  const root = h("div", { class: "pdcr-canvas" }, tools.element, canvas, line.element);
  root.dataset.lmSuppressShortcuts = "true";
  el.append(root);
  new Pointers(view, canvas, signal);

  view.painted = () => {
    tools.refresh();
    line.refresh();
  };
  for (const name of TRAIT_NAMES) model.on(`change:${name}`, () => view.invalidate());
  model.on("change:region", () => view.adopt());

  const fit = () => {
    const [height, width] = view.size;
    const available = el.clientWidth;
    if (!available) return;
    const highest = model.get("max_height") || 560;
    const shape = (height * view.aspect) / width;
    const stageWidth = Math.min(available, Math.max(highest / shape, 320));
    root.style.width = `${stageWidth}px`;
    view.resize(stageWidth, Math.min(highest, Math.max(120, stageWidth * shape)));
  };
  const observer = new ResizeObserver(fit);
  observer.observe(el);
  signal.addEventListener("abort", () => observer.disconnect());
  for (const name of ["image", "spacing", "max_height"]) model.on(`change:${name}`, fit);
  fit();
}

export default { render };
