import { expect, test } from "vitest";
import { barText, span } from "../src/figure/bars";
import { FigureModel } from "../src/figure/model";
import { DEFAULTS, FIXED } from "../src/figure/state";
import { readFigure } from "../src/figure/wire";
import { TRAIT_NAMES } from "../src/traits";

const bar = (effect: number | null, stderr: number | null) => ({
  name: "a",
  effect,
  stderr,
  samples: 3,
});

test("a change is told once, and only to those that listen for it", () => {
  const model = new FigureModel({ opacity: 1 }, FIXED, new Map());
  const heard: unknown[] = [];
  const listen = () => heard.push(model.get("opacity"));
  model.on("change:opacity", listen);
  model.set("opacity", 0.5);
  model.set("opacity", 0.5);
  model.set("limit", 3);
  model.off("change:opacity", listen);
  model.set("opacity", 1);
  expect(heard).toEqual([0.5]);
});

test("what is fixed comes back after a view has set it", async () => {
  const model = new FigureModel({ tool: "inspect" }, FIXED, new Map());
  let told = 0;
  model.on("change:tool", () => told++);
  model.set("tool", "box");
  expect(model.get("tool")).toBe("inspect");
  await Promise.resolve();
  expect(told).toBe(1);
  model.show({ tool: "move" });
  expect([model.get("tool"), told]).toEqual(["move", 2]);
});

test("canvases are found by name, and others are not there", async () => {
  const canvas = {} as HTMLCanvasElement;
  const model = new FigureModel({}, FIXED, new Map([["truth", canvas]]));
  expect((await model.widget_manager.get_model("truth")).canvas).toBe(canvas);
  await expect(model.widget_manager.get_model("notes")).rejects.toThrow("no canvas called notes");
});

test("bytes are read from base64", () => {
  const figure = readFigure('{"title": "a", "image": {"data": {"base64": "AAH/"}}, "truth": null}');
  expect(figure.image.data).toEqual(Uint8Array.from([0, 1, 255]));
  expect(figure.truth).toBeNull();
});

test("the bars' axis holds every bar with its error, and 0", () => {
  expect(span([bar(-3, 1), bar(2, null), bar(null, null)])).toEqual([-4, 2]);
  expect(span([bar(5, 0)])).toEqual([0, 5]);
  expect(span([])).toEqual([-1, 1]);
});

test("bars say their numbers", () => {
  expect(barText(bar(-3, 0))).toBe("\u22123.00");
  expect(barText(bar(1.5, 0.25))).toBe("+1.50 \u00b1 0.25");
  expect(barText(bar(null, null))).toBe("not measured");
});

test("a figure's state knows every trait", () => {
  const given = ["image", "region", "prediction", "truth", "effect", "patch_size", "spacing"];
  const more = ["colormap", "limit", "label", "layer_models", "layer_names"];
  expect(new Set([...Object.keys(DEFAULTS), ...given, ...more])).toEqual(new Set(TRAIT_NAMES));
});
