import { h } from "./dom";
import { arrow, barChart } from "./figure/bars";
import "./figure/figure.css";
import { FigureModel } from "./figure/model";
import { DEFAULTS, FIXED } from "./figure/state";
import { type FigureWire, type LayersWire, type MapWire, readFigure } from "./figure/wire";
import { effectText } from "./format";
import canvas from "./region_canvas";
import { edgeOf } from "./scene";
import type { MaskWire, Traits } from "./traits";
import { readEffect, readMask } from "./wire";

const CONTOURS = { prediction: "#22d3ee", truth: "#4ade80" } as const;
const SHARP = 1024;
const NARROWEST = 340;

/** A figure that answers hover, opacity, limits, regions, patch sizes and layers without a kernel. */
function start(root: HTMLElement, figure: FigureWire): void {
  const { maps } = figure;
  let shown = maps[0]!;
  const model = modelOf(figure, shown);
  const side = h("div", { class: "pdcr-side" });
  const stage = h("div", { class: "pdcr-picture" });
  const choose = (map: MapWire) => {
    shown = map;
    const { mask } = figure.regions[map.region]!;
    model.show({ patch: null, region: mask, effect: map.effect });
    refresh();
  };
  const menus = h("div", { class: "pdcr-menus" });
  const refresh = () => {
    menus.replaceChildren(...choices(figure, shown, choose));
    const layers = figure.regions[shown.region]!.layers;
    side.replaceChildren(facts(shown), patch(model, shown));
    if (layers) side.append(layerCard(layers, figure.colormap));
  };
  model.on("change:patch", () => side.children[1]?.replaceWith(patch(model, shown)));
  const parts = h("div", { class: "pdcr-parts" }, stage, side);
  parts.style.setProperty("--pdcr-picture", `${pictureWidth(figure)}px`);
  root.append(h("h1", {}, figure.title), menus, parts);
  refresh();
  const { signal } = new AbortController();
  const props = { model: model.asModel, el: stage, signal, experimental: {} };
  canvas.render(props as unknown as Parameters<typeof canvas.render>[0]);
}

/** Width at which the picture has its full height. */
function pictureWidth({ image, spacing }: FigureWire): number {
  const [, height, width] = image.shape;
  const aspect = spacing ? spacing[0] / spacing[1] : 1;
  return Math.max(NARROWEST, Math.round((DEFAULTS.max_height * width) / (height * aspect)));
}

function modelOf(figure: FigureWire, map: MapWire): FigureModel {
  const masks = { prediction: figure.prediction, truth: figure.truth };
  const names = Object.keys(masks) as (keyof typeof masks)[];
  const drawn = names.filter((name) => masks[name] !== null);
  const canvases = new Map(drawn.map((name) => [name, contour(masks[name]!, name)]));
  const { image, spacing, colormap, title } = figure;
  const state: Traits = {
    ...DEFAULTS,
    ...masks,
    image,
    region: figure.regions[map.region]!.mask,
    effect: map.effect,
    patch_size: map.effect.patch_size,
    spacing: spacing && [...spacing],
    colormap,
    limit: 0,
    label: title,
    layer_names: drawn,
    layer_models: drawn.map((name) => `IPY_MODEL_${name}`),
  };
  return new FigureModel(state, FIXED, canvases);
}

/** The outline of a mask on a canvas of its own, dashed for the truth. */
function contour(wire: MaskWire, name: keyof typeof CONTOURS): HTMLCanvasElement {
  const mask = readMask(wire);
  const scale = Math.max(1, Math.ceil(SHARP / Math.max(mask.height, mask.width)));
  const drawing = h("canvas");
  drawing.width = mask.width * scale;
  drawing.height = mask.height * scale;
  const context = drawing.getContext("2d")!;
  context.scale(scale, scale);
  const widest = Math.max(mask.height, mask.width) / 512;
  if (name === "truth") context.setLineDash([4 * widest, 3 * widest]);
  for (const [color, width] of [
    ["rgba(0, 0, 0, 0.6)", 3.4] as const,
    [CONTOURS[name], 1.8] as const,
  ]) {
    context.strokeStyle = color;
    context.lineWidth = width * widest;
    context.stroke(edgeOf(mask));
  }
  return drawing;
}

/** Menus for what was computed beforehand; where there is one choice, there is no menu. */
function choices(
  figure: FigureWire,
  shown: MapWire,
  choose: (map: MapWire) => void,
): HTMLElement[] {
  const { maps, regions } = figure;
  const sizes = [...new Set(maps.map((map) => map.effect.patch_size))].sort((a, b) => a - b);
  const find = (region: number, size: number) =>
    maps.find((map) => map.region === region && map.effect.patch_size === size) ??
    maps.find((map) => map.region === region);
  const pick = (region: number, size: number) => {
    const found = find(region, size);
    if (found) choose(found);
  };
  const size = shown.effect.patch_size;
  const names = regions.map(({ name }) => name);
  return [
    menu("Region", names, shown.region, (i) => pick(i, size)),
    menu(
      "Patch size",
      sizes.map((each) => `${each} px`),
      sizes.indexOf(size),
      (i) => pick(shown.region, sizes[i]!),
    ),
  ].filter((element) => element !== null);
}

function menu(
  label: string,
  names: readonly string[],
  chosen: number,
  choose: (index: number) => void,
): HTMLElement | null {
  if (names.length < 2) return null;
  const select = h("select", { "aria-label": label });
  names.forEach((name, index) => {
    select.append(new Option(name, String(index), false, index === chosen));
  });
  select.addEventListener("change", () => choose(Number(select.value)));
  return h("label", {}, h("span", {}, label), select);
}

function facts(map: MapWire): HTMLElement {
  const items = map.facts.map((fact) => h("li", {}, fact));
  return card("This map", h("ul", {}, ...items));
}

function patch(model: FigureModel, map: MapWire): HTMLElement {
  const place = model.get("patch") as [number, number] | null;
  if (!place)
    return card("Patch", h("p", { class: "pdcr-faint" }, "Click a patch to keep it here."));
  const effect = readEffect(map.effect);
  const [row, column] = place;
  const index = row * effect.columns + column;
  const text = effectText(effect.effect[index]!, effect.stderr[index]!, effect.samples[index]!);
  const size = effect.patchSize;
  const where = `row ${row * size}, column ${column * size}, ${size} \u00d7 ${size} px`;
  return card("Patch", h("p", {}, h("b", {}, text)), h("p", { class: "pdcr-faint" }, where));
}

/** Bars of all layers; a click on one shows its channels, and back. */
function layerCard(layers: LayersWire, colormap: string): HTMLElement {
  const body = h("div");
  const all = () => {
    const opens = (name: string) => name in layers.channels;
    const hint = layers.bars.some((bar) => opens(bar.name))
      ? [h("p", { class: "pdcr-faint" }, "Click a layer for its channels.")]
      : [];
    body.replaceChildren(barChart(layers.bars, colormap, one, opens), ...hint);
  };
  const one = (name: string) => {
    const back = h("button", { class: "pdcr-back", type: "button" }, "\u2190 All layers");
    back.addEventListener("click", all);
    const bars = layers.channels[name] ?? [];
    const heading = h("p", {}, h("b", {}, arrow(name)), ", channels by size of their effect");
    body.replaceChildren(back, heading, barChart(bars, colormap, null));
    back.focus();
  };
  all();
  return card("Effect of each layer", h("p", { class: "pdcr-faint" }, layers.replaced), body);
}

function card(title: string, ...content: HTMLElement[]): HTMLElement {
  return h("section", { class: "pdcr-card" }, h("h2", {}, title), ...content);
}

const data = document.getElementById("pdcr-data");
const root = document.getElementById("pdcr-figure");
if (data && root) start(root, readFigure(data.textContent ?? ""));
