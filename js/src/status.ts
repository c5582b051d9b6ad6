import type { CanvasView } from "./canvas_view";
import { COLORMAPS } from "./colormap";
import type { Part } from "./controls";
import { assign, h, write } from "./dom";
import { effectText, intensityText, limitText } from "./format";
import { opacity } from "./panel";
import { type EffectMap, intensity } from "./wire";

const SEPARATOR = "  \u00b7  ";

/** What is under the pointer, in words: the picture, then the map. */
export function readout(view: CanvasView): [string, string] {
  const { picture, effect, channel } = view.sources;
  const place = view.pointed;
  if (!place || !picture) return ["", ""];
  const [row, column] = place;
  const channels = channel < 0 ? [0, 1, 2] : [channel];
  const values = channels.map((each) => intensityText(intensity(picture, each, row, column)));
  const slice = view.model.get("plane") === undefined ? "" : `slice ${view.model.get("index")}, `;
  const parts = [`${slice}row ${row}, column ${column}`, `intensity ${values.join(" ")}`];
  const probability = view.sources.probabilityAt(row, column);
  if (probability !== null) parts.push(`probability ${probability.toFixed(2)}`);
  return [parts.join(SEPARATOR), effect ? effectAt(effect, row, column) : ""];
}

function effectAt(effect: EffectMap, row: number, column: number): string {
  const cellRow = Math.floor(row / effect.patchSize);
  const index = cellRow * effect.columns + Math.floor(column / effect.patchSize);
  const value = effect.effect[index];
  if (value === undefined) return "";
  return `effect ${effectText(value, effect.stderr[index]!, effect.samples[index]!)}`;
}

/** Under the picture: the read-out, then the opacity of the map and its signed colour scale. */
export function status(view: CanvasView, signal: AbortSignal) {
  const parts = { readout: readoutLine(view, signal), legend: legend(view) };
  const spoken = parts.readout.spoken;
  const lines = [parts.readout.element, parts.legend.element, spoken];
  return { ...parts, element: h("div", { class: "pdcr-status" }, ...lines) };
}

/** What is under the pointer; for the keyboard's cursor it is also spoken. */
function readoutLine(view: CanvasView, signal: AbortSignal): Part & { spoken: HTMLElement } {
  const texts = [h("span"), h("span")];
  const spoken = h("div", { class: "pdcr-spoken", role: "status", "aria-live": "polite" });
  let speak = 0;
  signal.addEventListener("abort", () => clearTimeout(speak));
  return {
    element: h("div", { class: "pdcr-readout" }, ...texts),
    spoken,
    refresh() {
      const told = readout(view);
      texts.forEach((span, index) => {
        write(span, told[index]!);
      });
      const words = told.join(SEPARATOR);
      if (!view.keyboard || spoken.textContent === words) return;
      clearTimeout(speak);
      speak = window.setTimeout(() => write(spoken, words), 300);
    },
  };
}

function legend(view: CanvasView): Part {
  const fade = opacity(view);
  const low = h("span");
  const high = h("span");
  const bar = h("span", { class: "pdcr-bar" });
  const scale = h("div", { class: "pdcr-colors", role: "img" }, low, bar, high);
  let colors = "";
  return {
    element: h("div", { class: "pdcr-legend" }, fade.element, scale),
    refresh() {
      fade.refresh();
      const { effect, limit } = view.sources;
      fade.element.hidden = !effect;
      scale.hidden = !effect || !view.model.get("show_scale");
      if (scale.hidden) return;
      const chosen = view.model.get("colormap");
      if (chosen !== colors) {
        colors = chosen;
        bar.style.background = `linear-gradient(to right, ${(COLORMAPS[chosen] ?? []).join(", ")})`;
      }
      write(low, `supports \u2212${limitText(limit)}`);
      write(high, `+${limitText(limit)} harms`);
      const label = `Colour scale from minus ${limitText(limit)} points, supports the target, to plus ${limitText(limit)} points, harms it`;
      assign(scale, "aria-label", label);
    },
  };
}
