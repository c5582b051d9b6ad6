import type { CanvasView } from "./canvas_view";
import { assign, h, write } from "./dom";
import type { Traits } from "./traits";

/** A control and what brings it up to date with the traits. */
export interface Part {
  readonly element: HTMLElement;
  refresh(): void;
}

type Names<T> = { [K in keyof Traits]-?: Traits[K] extends T ? K : never }[keyof Traits];

/** Elements in a row, refreshed together. */
export function row(className: string, ...parts: readonly Part[]): Part {
  return {
    element: h("div", { class: className }, ...parts.map((part) => part.element)),
    refresh() {
      for (const part of parts) part.refresh();
    },
  };
}

export const fixed = (element: HTMLElement): Part => ({ element, refresh() {} });

interface Range {
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly text: (value: number) => string;
}

/** A slider for a number; it may have a scale of its own (`to` and `from` the trait's). */
export function slider(view: CanvasView, name: Names<number>, label: string, range: Range): Part {
  const input = h("input", {
    type: "range",
    min: String(range.min),
    max: String(range.max),
    step: String(range.step),
    "aria-label": label,
  });
  const value = h("output", { class: "pdcr-value" });
  input.addEventListener("input", () => view.set(name, Number(input.value)));
  return {
    element: h("label", { class: "pdcr-field" }, h("span", {}, label), input, value),
    refresh() {
      const now = view.model.get(name);
      if (Number(input.value) !== now) input.value = String(now);
      write(value, range.text(now));
      assign(input, "aria-valuetext", range.text(now));
    },
  };
}

export function check(
  view: CanvasView,
  name: Names<boolean>,
  label: string,
  swatch?: string,
): Part {
  const input = h("input", { type: "checkbox" });
  input.addEventListener("change", () => view.set(name, input.checked));
  const marks = swatch ? [h("i", { class: "pdcr-swatch", style: `border-color:${swatch}` })] : [];
  return {
    element: h("label", { class: "pdcr-check" }, input, ...marks, h("span", {}, label)),
    refresh() {
      input.checked = view.model.get(name);
    },
  };
}

export interface Choice {
  readonly value: string;
  readonly label: string;
}

export interface Selecting {
  readonly label: string;
  readonly choices: () => readonly Choice[];
  readonly get: () => string;
  readonly set: (value: string) => void;
}

export function select(options: Selecting): Part {
  const element = h("select", { "aria-label": options.label });
  let shown = "";
  element.addEventListener("change", () => options.set(element.value));
  return {
    element: h("label", { class: "pdcr-field" }, h("span", {}, options.label), element),
    refresh() {
      const choices = options.choices();
      const key = JSON.stringify(choices);
      if (key !== shown) {
        shown = key;
        element.replaceChildren(
          ...choices.map(({ value, label }) => h("option", { value }, label)),
        );
      }
      element.value = options.get();
    },
  };
}

export interface Typing {
  readonly label: string;
  readonly get: () => number | null;
  readonly set: (value: number) => void;
  readonly step?: string;
  readonly min?: string;
  readonly max?: string;
  /** Whether a number can be typed where there is none. */
  readonly open?: boolean;
  /** Shown where the pointer rests, in place of the label. */
  readonly title?: string;
}

/** A number to type; it changes when the field is left or Enter is pressed. */
export function number(options: Typing): Part {
  const { label, get, set, step = "any", min = "", max = "", open = false, title = "" } = options;
  const limits = { min, max, step };
  const input = h("input", {
    type: "number",
    ...limits,
    "aria-label": label,
    class: "pdcr-number",
  });
  const take = () => {
    if (input.value !== "" && input.checkValidity()) set(Number(input.value));
  };
  input.addEventListener("change", take);
  return {
    element: h(
      "label",
      { class: "pdcr-field pdcr-short", title },
      h("span", { class: title && "pdcr-spoken" }, label),
      input,
    ),
    refresh() {
      const value = get();
      if (document.activeElement === input) return;
      input.value = value === null ? "" : String(value);
      input.disabled = value === null && !open;
    },
  };
}
