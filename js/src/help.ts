import { h } from "./dom";
import {
  GESTURES,
  REGION_KEYS,
  type Shortcut,
  SLICE_KEYS,
  TOOL_KEYS,
  VIEW_KEYS,
} from "./shortcuts";

export interface Help {
  readonly element: HTMLDialogElement;
  toggle(): void;
}

/** All shortcuts on one sheet, over the picture. */
export function help(): Help {
  const close = h("button", { type: "button", class: "pdcr-close" }, "Close");
  const element = h(
    "dialog",
    { class: "pdcr-help", "aria-label": "Keyboard and mouse" },
    h(
      "div",
      { class: "pdcr-help-columns" },
      section("Tools", TOOL_KEYS.map(entry)),
      section("Region", REGION_KEYS.map(entry)),
      section("View", [...VIEW_KEYS, ...SLICE_KEYS].map(entry)),
      section("Drawing", GESTURES),
    ),
    close,
  );
  close.addEventListener("click", () => element.close());
  return {
    element,
    toggle() {
      if (element.open) element.close();
      else element.showModal();
    },
  };
}

const entry = ({ shown, words }: Shortcut) => [shown, words] as const;

function section(title: string, entries: readonly (readonly [string, string])[]): HTMLElement {
  const list = entries.flatMap(([keys, words]) => [
    h("dt", {}, h("kbd", {}, keys)),
    h("dd", {}, words),
  ]);
  return h("section", {}, h("h3", {}, title), h("dl", {}, ...list));
}
