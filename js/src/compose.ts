import type { CanvasView } from "./canvas_view";
import type { Point } from "./geometry";
import { edgeOf, type Layer, REGION_COLOR, type Scene, tintOf } from "./scene";
import type { NamedWire } from "./traits";
import { readMask } from "./wire";

/** Opacity of a region while a shape is drawn over it. */
const WHILE_DRAWN = 0.45;

/** Gathers what one frame of a view shows. */
export function compose(view: CanvasView): Scene {
  const { model, sources, editor } = view;
  const { draft } = editor;
  const tool = model.get("tool");
  const paints = tool === "brush" || tool === "eraser";
  const shown = model.get("show_region") && !sources.ahead;
  const { at } = view;
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
    contourOpacity: model.get("contour_opacity"),
    regionOpacity: model.get("contour_opacity") * (draft?.shape ? WHILE_DRAWN : 1),
    regionColor: named(view)?.color ?? REGION_COLOR,
    others: shown ? others(view) : [],
    patchSize: sources.patchSize,
    grid: model.get("show_grid"),
    patch: sources.effect ? model.get("patch") : null,
    draft,
    offer: at && !draft && !sources.ahead ? offered(view, at) : null,
    shape: editor.shape,
    crosshair: view.keyboard ?? elsewhere ?? (model.get("show_crosshair") ? at : null),
    ring: paints && at ? { at, size: model.get("brush_size") } : null,
    millimetres: model.get("spacing")?.[1] ?? null,
    letters: model.get("letters") ?? null,
  };
}

/** What a click would take there, ready to be painted. */
function offered(view: CanvasView, at: Point): Scene["offer"] {
  const offer = view.editor.offer(at);
  if (!offer) return null;
  return { tint: offer.mask ? tintOf(offer.mask) : null, shape: offer.shape ?? null };
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
