import type { CanvasView } from "./canvas_view";
import type { Part } from "./controls";
import { h, iconButton } from "./dom";
import { added, changed, removed, renamed } from "./region_list";
import type { NamedWire } from "./traits";
import { writeMask } from "./wire";

/** The list of named regions: choose, rename, colour, hide, delete, and keep the present one. */
export function regionsPanel(view: CanvasView): Part {
  const list = h("div", { class: "pdcr-region-list", role: "list" });
  const keep = h("button", { type: "button", class: "pdcr-text-button" }, "Keep this region");
  keep.addEventListener("click", () => keepRegion(view));
  const attributes = { class: "pdcr-panel pdcr-left", role: "group", "aria-label": "Regions" };
  let shown: readonly NamedWire[] | null = null;
  let active: string | null = null;
  return {
    element: h("div", attributes, h("h3", {}, "Regions"), list, keep),
    refresh() {
      keep.disabled = view.regionBox === null;
      const regions = view.model.get("regions") ?? [];
      if (regions === shown && view.model.get("active") === active) return;
      shown = regions;
      active = view.model.get("active");
      if (list.contains(document.activeElement)) keepFocus(list, () => fill());
      else fill();
    },
  };

  function fill(): void {
    const entries = (shown ?? []).map((region) => entry(view, region, region.name === active));
    list.replaceChildren(...entries);
  }
}

function keepRegion(view: CanvasView): void {
  const { store } = view;
  const list = added(store.regions, writeMask(store.mask));
  store.arrange(list, list.at(-1)!.name);
  view.invalidate();
}

function entry(view: CanvasView, region: NamedWire, active: boolean): HTMLElement {
  const { name } = region;
  const { store } = view;
  const set = (list: readonly NamedWire[], active = store.active) => {
    store.arrange(list, active);
    view.invalidate();
  };
  const list = () => store.regions;
  const choose = h("input", { type: "radio", name: `${view.id}-active` });
  choose.setAttribute("aria-label", `Draw on ${name}`);
  choose.checked = active;
  choose.addEventListener("change", () => {
    store.choose(name);
    view.invalidate();
  });
  const color = h("input", {
    type: "color",
    value: region.color,
    "aria-label": `Colour of ${name}`,
  });
  color.addEventListener("change", () => set(changed(list(), name, { color: color.value })));
  const title = h("input", { type: "text", value: name, "aria-label": `Name of ${name}` });
  title.addEventListener("change", () => {
    const now = list();
    const next = renamed(now, name, title.value);
    if (next === now) title.value = name;
    else set(next, store.active === name ? title.value.trim() : store.active);
  });
  const show = iconButton(region.visible ? "shown" : "hidden", `Show ${name}`);
  show.setAttribute("aria-pressed", String(region.visible));
  show.addEventListener("click", () => set(changed(list(), name, { visible: !region.visible })));
  const drop = iconButton("clear", `Delete ${name}`);
  drop.addEventListener("click", () => {
    set(removed(list(), name), store.active === name ? "" : store.active);
  });
  return h("div", { class: "pdcr-region", role: "listitem" }, choose, color, title, show, drop);
}

/** Puts the focus on the same control again after the list was made anew. */
function keepFocus(list: HTMLElement, fill: () => void): void {
  const controls = () => [...list.querySelectorAll<HTMLElement>("input, button")];
  const at = controls().indexOf(document.activeElement as HTMLElement);
  fill();
  controls()[at]?.focus();
}
