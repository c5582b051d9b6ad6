import type { CanvasView } from "./canvas_view";
import type { Mask } from "./mask";
import { edgeOf, type Layer, REGION_COLOR, type Scene, type Tinted, tinted } from "./scene";
import type { NamedWire } from "./traits";
import { readMask } from "./wire";

const tints = new WeakMap<Mask, Tinted | null>();

/** Gathers what one frame of a view shows. */
export function compose(view: CanvasView): Scene {
  const { model, sources, editor } = view;
  const { draft } = editor;
  const tool = model.get("tool");
  const paints = tool === "brush" || tool === "eraser";
  const shown = model.get("show_region") && !sources.ahead;
  const cursor = model.get("cursor");
  const elsewhere = !view.pointer && cursor ? { x: cursor[1] + 0.5, y: cursor[0] + 0.5 } : null;
  return {
    frame: view.frame,
    view: view.navigator.view,
    ratio: window.devicePixelRatio,
    smooth: model.get("smooth"),
    picture: sources.pictureCanvas,
    effect: sources.ahead ? null : sources.effectCanvas,
    opacity: model.get("opacity"),
    layers: sources.ahead ? [] : layers(view),
    layersDrawn: view.children.drawings,
    region: shown && !draft?.mask ? tintOf(view.store.mask) : null,
    regionColor: named(view)?.color ?? REGION_COLOR,
    others: shown ? others(view) : [],
    patchSize: sources.patchSize,
    grid: model.get("show_grid"),
    patch: sources.effect ? model.get("patch") : null,
    draft,
    shape: editor.shape,
    crosshair: view.keyboard ?? elsewhere,
    ring: paints && view.at ? { at: view.at, size: model.get("brush_size") } : null,
    millimetres: model.get("spacing")?.[1] ?? null,
    letters: model.get("letters") ?? null,
  };
}

function tintOf(mask: Mask): Tinted | null {
  const known = tints.get(mask);
  if (known !== undefined) return known;
  const made = tinted(mask);
  tints.set(mask, made);
  return made;
}

function named(view: CanvasView): NamedWire | undefined {
  const active = view.model.get("active");
  return view.model.get("regions")?.find(({ name }) => name === active);
}

const edges = new WeakMap<NamedWire, Path2D>();

/** Outlines of the named regions that are not being drawn on. */
function others(view: CanvasView): Scene["others"] {
  const active = view.model.get("active");
  const list = (view.model.get("regions") ?? []).filter((r) => r.visible && r.name !== active);
  return list.map((region) => {
    const edge = edges.get(region) ?? edgeOf(readMask(region));
    edges.set(region, edge);
    return { edge, color: region.color };
  });
}

function layers(view: CanvasView): Layer[] {
  const { model } = view;
  const contour = model.get("contour_opacity");
  const opacities = new Map([
    ["prediction", model.get("show_prediction") ? contour : 0],
    ["truth", model.get("show_truth") ? contour : 0],
    ["notes", model.get("show_notes") ? 1 : 0],
  ]);
  return [...view.children.canvases]
    .map(([name, canvas]) => ({ canvas, opacity: opacities.get(name) ?? 1 }))
    .filter((layer) => layer.opacity > 0 && layer.canvas.width > 0);
}
