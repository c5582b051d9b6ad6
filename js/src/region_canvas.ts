import type { RenderProps } from "@anywidget/types";
import { copyPicture, fullScreen } from "./actions";
import { CanvasView } from "./canvas_view";
import { watchConnection } from "./connection";
import { h, iconButton, uniqueId } from "./dom";
import { help } from "./help";
import type { IconName } from "./icons";
import { keyboard } from "./keyboard";
import { Notice } from "./notice";
import { options } from "./options";
import { panel } from "./panel";
import { Pointers } from "./pointer";
import { regionsPanel } from "./regions_panel";
import { fitTo } from "./size";
import { sliceBar } from "./slice_bar";
import { nameSliders } from "./slider_names";
import { status } from "./status";
import "./styles.css";
import { toolbar } from "./toolbar";
import { type Model, TRAIT_NAMES, VOLUME_TRAIT_NAMES } from "./traits";

const NOT_CONNECTED = "Not connected to a kernel: you can draw, but nothing is computed";

function render({ model: anyModel, el, signal }: RenderProps): void {
  const model = anyModel as unknown as Model;
  const id = uniqueId("stage");
  const canvas = h("canvas", {
    class: "pdcr-stage",
    id,
    tabindex: "0",
    role: "application",
    "aria-description": "Press question mark for all keys",
  });
  const view = new CanvasView(model, canvas, signal);
  const sheet = help();
  const notice = new Notice(signal);
  const settings = panel(view);
  const root = h("div", { class: "pdcr-canvas" });
  const regions = regionsPanel(view);
  const panels = [regions.element, settings.element];
  const actions = [
    panelButton("regions", "Regions", regions.element, panels),
    panelButton("display", "Display", settings.element, panels),
    helpButton(sheet.toggle),
  ];
  const slices = sliceBar(view, signal);
  const tools = toolbar(view, actions, id);
  const row = options(view);
  const line = status(view, signal);
  const parts = [tools, row, regions, settings, slices, line.legend];
  const corner = cornerButtons(view, root, notice);
  const stage = h(
    "div",
    { class: "pdcr-frame" },
    canvas,
    corner,
    regions.element,
    settings.element,
    notice.element,
  );
  root.append(tools.element, row.element, stage, slices.element, line.element, sheet.element);
  el.append(root);

  new Pointers(view, canvas, signal);
  keyboard(view, root, sheet.toggle, signal);
  watchConnection(model, (connected) => notice.keep(connected ? "" : NOT_CONNECTED), signal);
  view.painted = (stale) => {
    line.readout.refresh();
    if (!stale) return;
    canvas.setAttribute("aria-label", model.get("label"));
    // A finger scrolls the page while there is nothing to draw or to pan.
    const still = model.get("tool") === "inspect" && view.navigator.zoom[0] <= 1;
    canvas.style.touchAction = still ? "pan-x pan-y" : "none";
    for (const part of parts) part.refresh();
  };
  for (const name of [...TRAIT_NAMES, ...VOLUME_TRAIT_NAMES])
    if (name !== "cursor") model.on(`change:${name}`, view.invalidate);
  nameSliders(el, signal);
  fitTo(el, root, view, signal);
}

/** Buttons on the picture: what is about the whole of it. */
function cornerButtons(view: CanvasView, root: HTMLElement, notice: Notice): HTMLElement {
  const fit = iconButton("fit", "Fit the picture", "0");
  const copy = iconButton("copy", "Copy the picture");
  const full = iconButton("full", "Full screen");
  fit.addEventListener("click", () => view.navigator.fit());
  copy.addEventListener("click", async () => notice.flash(await copyPicture(view)));
  full.addEventListener("click", () => fullScreen(root));
  return h("div", { class: "pdcr-corner" }, fit, copy, full);
}

function helpButton(show: () => void): HTMLElement {
  const button = iconButton("help", "Keyboard and mouse", "?");
  button.addEventListener("click", show);
  return button;
}

/** A button that opens and closes a panel over the picture; of all panels one is open. */
function panelButton(
  icon: IconName,
  label: string,
  panel: HTMLElement,
  panels: readonly HTMLElement[],
): HTMLElement {
  const button = iconButton(icon, label);
  const show = () => button.setAttribute("aria-expanded", String(!panel.hidden));
  panel.hidden = true;
  panel.addEventListener("toggle", show);
  button.addEventListener("click", () => {
    const opens = panel.hidden === true;
    for (const each of panels) {
      each.hidden = each !== panel || !opens;
      each.dispatchEvent(new Event("toggle"));
    }
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    button.click();
    button.focus();
  });
  show();
  return button;
}

export default { render };
