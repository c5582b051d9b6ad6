import type { AnyModel, RenderProps } from "@anywidget/types";
import { h } from "./dom";
import { signed } from "./format";
import { type GraphWire, type Layout, layout, type Rect } from "./network/layout";
import "./network/network.css";
import { type Effects, effectColor, inkOn, ownLimit, tableOf } from "./network/paint";

export type NetworkTraits = {
  graph: GraphWire;
  effects: Effects;
  kinds: string[];
  colormap: string;
  limit: number;
  scale: string;
  layer: string | null;
  pinned: string[];
};

export const NETWORK_TRAITS = [
  "graph",
  "effects",
  "kinds",
  "colormap",
  "limit",
  "scale",
  "layer",
  "pinned",
] as const satisfies readonly (keyof NetworkTraits)[];

type Model = AnyModel<NetworkTraits>;

const SVG = "http://www.w3.org/2000/svg";
const LETTER = 6.6; // pixels of a name's letter
const DIGITS = 27; // pixels that a number needs

function render({ model: anyModel, el, signal }: RenderProps): void {
  const model = anyModel as unknown as Model;
  const frame = h("div", { class: "pdcr-network" });
  el.append(frame);
  let focused: string | null = null;
  frame.addEventListener("focusin", (event) => {
    focused = (event.target as Element).getAttribute("data-name");
  });
  frame.addEventListener("focusout", () => {
    focused = null;
  });
  let room = 0;
  const draw = () => {
    const kept = focused;
    frame.replaceChildren(diagram(model, room || Number.POSITIVE_INFINITY));
    if (kept !== null) {
      frame.querySelector<SVGElement>(`[data-name="${CSS.escape(kept)}"]`)?.focus();
    }
  };
  for (const name of NETWORK_TRAITS) model.on(`change:${name}`, draw);
  const watcher = new ResizeObserver(([entry]) => {
    const width = Math.floor(entry!.contentRect.width);
    if (width === 0 || width === room) return;
    room = width;
    draw();
  });
  watcher.observe(frame);
  signal.addEventListener("abort", () => watcher.disconnect());
  draw();
}

function diagram(model: Model, room: number): Element {
  const graph = model.get("graph");
  if (graph.nodes.length === 0) {
    return h("p", { class: "pdcr-network-empty" }, "The network's stages appear here.");
  }
  const plan = layout(graph, room);
  const svg = shape("svg", {
    width: plan.width,
    height: plan.height,
    viewBox: `0 0 ${plan.width} ${plan.height}`,
    role: "group",
    "aria-label": "Diagram of the network, coloured by effect",
  });
  for (const path of plan.flow) svg.append(shape("path", { class: "pdcr-flow", d: path }));
  const limit = model.get("limit") || ownLimit(model.get("effects"));
  addEdges(svg, model, plan, limit);
  graph.nodes.forEach((node, i) => {
    svg.append(box(model, node.name, node.label, plan.boxes[i]!, limit));
  });
  return svg;
}

function addEdges(svg: Element, model: Model, plan: Layout, limit: number): void {
  model.get("graph").edges.forEach((edge, i) => {
    const arc = plan.arcs[i]!;
    const [effect, stderr] = numbers(model, edge.name);
    const color = colorOf(model, effect, limit);
    const group = clickable(model, edge.name, describe(edge.name, effect, stderr));
    group.classList.add("pdcr-skip");
    const line = shape("path", { class: "pdcr-skip-line", d: arc.path });
    if (color !== null) line.setAttribute("style", `stroke: ${color}`);
    group.append(
      shape("path", { class: "pdcr-skip-rim", d: arc.path }),
      line,
      shape("path", { class: "pdcr-skip-hit", d: arc.path }),
      text(Number.isFinite(effect) ? signed(effect) : "", arc.x, arc.y - 6, "pdcr-skip-text"),
    );
    svg.append(group);
  });
}

/** One box; several kinds of intervention are stripes side by side. */
function box(model: Model, name: string, label: string, rect: Rect, limit: number): Element {
  const [effect, stderr] = numbers(model, name);
  const group = clickable(model, name, describe(name, effect, stderr));
  const middle = rect.x + rect.width / 2;
  const pin = model.get("pinned").includes(name) ? "\u25c6 " : "";
  const letters = Math.floor(rect.width / LETTER) - pin.length;
  group.append(
    shape("rect", { ...rect, rx: 5, class: "pdcr-box" }),
    ...stripes(model, name, rect, limit),
    shape("rect", { ...rect, rx: 5, class: "pdcr-rim" }),
    text(pin + shorten(label, letters), middle, rect.y + 14, "pdcr-box-name"),
  );
  return group;
}

/** Coloured stripes in the lower half of a box, and the numbers that fit on them. */
function stripes(model: Model, name: string, rect: Rect, limit: number): Element[] {
  const found = model.get("effects")[name] ?? [];
  const count = Math.max(1, model.get("kinds").length);
  const [width, height, y] = [rect.width / count, rect.height / 2, rect.y + rect.height / 2];
  const values = Array.from({ length: count }, (_, k) => found[k]?.[0] ?? Number.NaN);
  const colors = values.map((value) => colorOf(model, value, limit));
  const bands = colors.map((color, k) => {
    const band = shape("rect", { x: rect.x + k * width, y, width, height, class: "pdcr-stripe" });
    if (color !== null) band.setAttribute("style", `fill: ${color}`);
    return band;
  });
  const fit = width >= DIGITS;
  const shown = fit ? values : values.slice(0, 1);
  const written = shown.map((value, k) => {
    const x = fit ? rect.x + (k + 0.5) * width : rect.x + rect.width / 2;
    const number = text(short(value), x, y + height / 2 + 4, "pdcr-box-effect");
    const ground = colors[fit ? k : Math.floor(count / 2)]!;
    number.setAttribute("style", `fill: ${inkOn(ground)}`);
    return number;
  });
  return [...bands, ...written];
}

function colorOf(model: Model, effect: number, limit: number): string | null {
  return effectColor(effect, limit, tableOf(model.get("colormap")), model.get("scale"));
}

/** Effect and standard error of the first kind, NaN where they are not known. */
function numbers(model: Model, name: string): [number, number] {
  const [effect, stderr] = model.get("effects")[name]?.[0] ?? [null, null];
  return [effect ?? Number.NaN, stderr ?? Number.NaN];
}

function clickable(model: Model, name: string, words: string): SVGElement {
  const chosen = model.get("layer") === name;
  const group = shape("g", {
    class: chosen ? "pdcr-part pdcr-chosen" : "pdcr-part",
    tabindex: 0,
    role: "button",
    "aria-pressed": chosen,
    "aria-label": words,
    "data-name": name,
  });
  const title = shape("title", {});
  title.textContent = words;
  group.append(title);
  const choose = () => {
    model.set("layer", model.get("layer") === name ? null : name);
    model.save_changes();
  };
  group.addEventListener("click", choose);
  group.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose();
  });
  return group;
}

function describe(name: string, effect: number, stderr: number): string {
  if (!Number.isFinite(effect)) return `${name}: not measured yet`;
  const error = stderr > 0 ? ` \u00b1 ${stderr.toFixed(2)}` : "";
  return `${name}: ${signed(effect)}${error} points`;
}

/** At most five characters; tiny effects are told from none. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return "";
  if (size === 0) return "0";
  if (size < 0.005) return "\u00b10.00";
  const text = size.toFixed(size >= 9.95 ? 0 : size >= 0.995 ? 1 : 2);
  return (value < 0 ? "\u2212" : "+") + text;
}

/** The end of a dotted name tells more than its beginning. */
export function shorten(label: string, letters: number): string {
  return label.length <= letters ? label : `\u2026${label.slice(label.length - letters + 1)}`;
}

function text(words: string, x: number, y: number, kind: string): SVGElement {
  const element = shape("text", { x, y, class: kind, "text-anchor": "middle" });
  element.textContent = words;
  return element;
}

function shape(tag: string, attributes: Readonly<Record<string, unknown>>): SVGElement {
  const element = document.createElementNS(SVG, tag) as SVGElement;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

export default { render };
