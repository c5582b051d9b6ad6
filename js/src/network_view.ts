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
const LETTERS = 15;

function render({ model: anyModel, el }: RenderProps): void {
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
  const draw = () => {
    const kept = focused;
    frame.replaceChildren(diagram(model));
    if (kept !== null) {
      frame.querySelector<SVGElement>(`[data-name="${CSS.escape(kept)}"]`)?.focus();
    }
  };
  for (const name of NETWORK_TRAITS) model.on(`change:${name}`, draw);
  draw();
}

function diagram(model: Model): Element {
  const graph = model.get("graph");
  if (graph.nodes.length === 0) {
    return h("p", { class: "pdcr-network-empty" }, "The network's stages appear here.");
  }
  const plan = layout(graph);
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
      text(Number.isFinite(effect) ? signed(effect) : "", arc.x, arc.y - 4, "pdcr-skip-text"),
    );
    svg.append(group);
  });
}

/** One box; several kinds of intervention are stripes side by side. */
function box(model: Model, name: string, label: string, rect: Rect, limit: number): Element {
  const found = model.get("effects")[name] ?? [];
  const [effect, stderr] = numbers(model, name);
  const group = clickable(model, name, describe(name, effect, stderr));
  const stripes = Math.max(1, model.get("kinds").length);
  const lower = rect.height / 2;
  group.append(shape("rect", { ...rect, rx: 5, class: "pdcr-box" }));
  for (let k = 0; k < stripes; k++) {
    const value = found[k]?.[0] ?? Number.NaN;
    const color = colorOf(model, value, limit);
    const x = rect.x + (k * rect.width) / stripes;
    const [width, y] = [rect.width / stripes, rect.y + lower];
    const stripe = shape("rect", { x, y, width, height: lower, class: "pdcr-stripe" });
    if (color !== null) stripe.setAttribute("style", `fill: ${color}`);
    const number = stripes > 3 && k > 0 ? "" : short(value);
    const written = text(number, x + width / 2, y + lower / 2 + 4, "pdcr-box-effect");
    written.setAttribute("style", `fill: ${inkOn(color)}`);
    group.append(stripe, written);
  }
  const middle = rect.x + rect.width / 2;
  const pin = model.get("pinned").includes(name) ? "\u25c6 " : "";
  group.append(
    shape("rect", { ...rect, rx: 5, class: "pdcr-rim" }),
    text(pin + shorten(label, LETTERS - pin.length), middle, rect.y + 14, "pdcr-box-name"),
  );
  return group;
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

function short(value: number): string {
  if (!Number.isFinite(value)) return "";
  return signed(value).replace(/\.\d+$/, (tail) => (Math.abs(value) >= 10 ? "" : tail));
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
