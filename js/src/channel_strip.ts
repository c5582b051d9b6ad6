import type { AnyModel, RenderProps } from "@anywidget/types";
import { h } from "./dom";
import { signed } from "./format";
import "./network/network.css";
import { effectColor, tableOf } from "./network/paint";
import { type ThumbsWire, thumbs } from "./network/thumbs";

export type StripTraits = {
  thumbs: ThumbsWire | null;
  names: string[];
  effects: (number | null)[];
  stderr: (number | null)[];
  colormap: string;
  limit: number;
  channel: string | null;
};

export const STRIP_TRAITS = [
  "thumbs",
  "names",
  "effects",
  "stderr",
  "colormap",
  "limit",
  "channel",
] as const satisfies readonly (keyof StripTraits)[];

type Model = AnyModel<StripTraits>;

/** Channels as small pictures, strongest first; a click selects one. */
function render({ model: anyModel, el }: RenderProps): void {
  const model = anyModel as unknown as Model;
  const strip = h("div", { class: "pdcr-strip", role: "listbox", "aria-label": "Channels" });
  el.append(strip);
  const cards = new Map<string, HTMLButtonElement>();
  let shown: unknown = null;
  const draw = () => {
    const names = model.get("names");
    if (shown !== names || cards.size !== names.length) {
      shown = names;
      rebuild(model, cards);
    }
    const order = ranked(names, model.get("effects"));
    for (const place of order) update(model, cards, place);
    const wanted = order.map((place) => cards.get(names[place]!)!);
    if (strip.children.length !== wanted.length || wanted.some((e, i) => strip.children[i] !== e)) {
      strip.replaceChildren(...wanted);
    }
  };
  for (const name of STRIP_TRAITS) model.on(`change:${name}`, draw);
  strip.addEventListener("keydown", (event) => move(strip, event));
  draw();
}

function rebuild(model: Model, cards: Map<string, HTMLButtonElement>): void {
  const pictures = thumbs(model.get("thumbs"));
  cards.clear();
  model.get("names").forEach((name, i) => {
    cards.set(name, card(model, name, pictures[i] ?? null));
  });
}

/** Places of the channels, largest effect first; those not measured yet stay in order at the end. */
export function ranked(names: readonly string[], effects: readonly (number | null)[]): number[] {
  const size = (place: number) => Math.abs(effects[place] ?? -1);
  const known = (place: number) => (effects[place] ?? null) !== null;
  return names
    .map((_, place) => place)
    .sort((a, b) => Number(known(b)) - Number(known(a)) || size(b) - size(a) || a - b);
}

function card(model: Model, name: string, picture: ImageData | null): HTMLButtonElement {
  const canvas = h("canvas", { "aria-hidden": "true" });
  if (picture !== null) {
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext("2d")?.putImageData(picture, 0, 0);
  }
  const caption = h("span", { class: "pdcr-strip-name" }, shortName(name));
  const effect = h("span", { class: "pdcr-strip-effect" });
  const button = h("button", { type: "button", role: "option" }, canvas, caption, effect);
  button.addEventListener("click", () => {
    model.set("channel", model.get("channel") === name ? null : name);
    model.save_changes();
  });
  return button;
}

function update(model: Model, cards: Map<string, HTMLButtonElement>, place: number): void {
  const name = model.get("names")[place]!;
  const button = cards.get(name)!;
  const effect = model.get("effects")[place] ?? Number.NaN;
  const stderr = model.get("stderr")[place] ?? Number.NaN;
  const words = Number.isFinite(effect) ? signed(effect) : "\u2026";
  const error = stderr > 0 ? ` \u00b1 ${stderr.toFixed(2)}` : "";
  const chosen = model.get("channel") === name;
  button.title = `${name}: ${words}${Number.isFinite(effect) ? `${error} points` : ""}`;
  button.setAttribute("aria-label", button.title);
  button.setAttribute("aria-selected", String(chosen));
  const bar = button.lastElementChild as HTMLElement;
  bar.textContent = words;
  const limit = model.get("limit") || 1;
  const color = effectColor(effect, limit, tableOf(model.get("colormap")));
  bar.style.borderTopColor = color ?? "transparent";
}

function move(strip: HTMLElement, event: KeyboardEvent): void {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step === undefined) return;
  const next = document.activeElement?.[step > 0 ? "nextElementSibling" : "previousElementSibling"];
  if (next instanceof HTMLElement && strip.contains(next)) next.focus();
  event.preventDefault();
}

function shortName(name: string): string {
  return name.match(/\[(.+)\]$/)?.[1] ?? name;
}

export default { render };
