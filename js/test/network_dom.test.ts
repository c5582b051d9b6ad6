// @vitest-environment happy-dom
import type { RenderProps } from "@anywidget/types";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import strip from "../src/channel_strip";
import network from "../src/network_view";

type State = Record<string, unknown>;

/** A model as the widget manager gives it: all values are set before the first change is told. */
class Model {
  readonly sent: State[] = [];
  private readonly listeners = new Map<string, (() => void)[]>();
  constructor(readonly state: State) {}
  get = (name: string): unknown => this.state[name];
  on = (event: string, listener: () => void): void => {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
  };
  set = (name: string, value: unknown): void => {
    this.update({ [name]: value });
    this.sent.push({ [name]: value });
  };
  save_changes = (): void => {};
  update(state: State): void {
    Object.assign(this.state, state);
    for (const name of Object.keys(state)) {
      for (const listener of this.listeners.get(`change:${name}`) ?? []) listener();
    }
  }
}

let el: HTMLElement;

beforeEach(() => {
  el = document.body.appendChild(document.createElement("div"));
  vi.stubGlobal(
    "ImageData",
    class {
      constructor(
        readonly data: Uint8ClampedArray,
        readonly width: number,
        readonly height: number,
      ) {}
    },
  );
});

afterEach(() => {
  el.remove();
  vi.unstubAllGlobals();
});

function show(view: { render: (props: RenderProps) => unknown }, state: State): Model {
  const model = new Model(state);
  const signal = new AbortController().signal;
  view.render({ model, el, signal } as unknown as RenderProps);
  return model;
}

const EMPTY_STRIP = {
  thumbs: null,
  names: [],
  effects: [],
  stderr: [],
  colormap: "red-blue",
  limit: 0,
  channel: null,
};

const LAYER = {
  effects: [0, -3, null],
  stderr: [0, 0.5, null],
  limit: 3,
  thumbs: { shape: [3, 1, 2], data: new DataView(Uint8Array.from([0, 1, 2, 3, 4, 5]).buffer) },
  names: ["mid[0]", "mid[1]", "mid[2]"],
};

test("another layer's channels arrive in any order of traits, strongest first", () => {
  const model = show(strip, { ...EMPTY_STRIP });
  model.update(LAYER);
  const labels = () => [...el.querySelectorAll("button")].map((b) => b.getAttribute("aria-label"));
  expect(labels()).toEqual([
    "mid[1]: \u22123.00 \u00b1 0.50 points",
    "mid[0]: 0 points",
    "mid[2]: \u2026",
  ]);
  model.update({ effects: [0, -3, 9] });
  expect(labels()[0]).toContain("mid[2]");
  model.update({ names: [], thumbs: null });
  expect(labels()).toEqual([]);
});

test("a click selects a channel, a second one none", () => {
  const model = show(strip, { ...EMPTY_STRIP, ...LAYER });
  const first = el.querySelector("button")!;
  first.click();
  expect(model.sent.at(-1)).toEqual({ channel: "mid[1]" });
  expect(first.getAttribute("aria-selected")).toBe("true");
  first.click();
  expect(model.sent.at(-1)).toEqual({ channel: null });
});

const NETWORK = {
  graph: {
    nodes: [
      { name: "enc", label: "enc", group: "encoder", level: 0 },
      { name: "mid", label: "mid", group: "bottleneck", level: 1 },
      { name: "dec", label: "dec", group: "decoder", level: 0 },
    ],
    edges: [{ name: "enc -> dec", source: 0, target: 2 }],
    flow: [
      [0, 1],
      [1, 2],
    ],
  },
  effects: { enc: [[-9, 0]], mid: [[null, null]], "enc -> dec": [[2, 0.1]] },
  kinds: ["mean"],
  colormap: "red-blue",
  limit: 0,
  scale: "linear",
  layer: null,
  pinned: ["enc"],
};

const part = (name: string) => el.querySelector<SVGElement>(`[data-name="${name}"]`)!;

test("boxes and bridges say their effect, and what is not measured says so", () => {
  show(network, { ...NETWORK });
  expect(part("enc").getAttribute("aria-label")).toBe("enc: \u22129.00 points");
  expect(part("mid").getAttribute("aria-label")).toBe("mid: not measured yet");
  expect(part("enc -> dec").getAttribute("aria-label")).toBe(
    "enc -> dec: +2.00 \u00b1 0.10 points",
  );
  expect(part("enc").querySelector(".pdcr-stripe")!.getAttribute("style")).toContain("103, 0, 31");
  expect(part("enc").textContent).toContain("\u25c6");
});

test("a click and the Enter key select, and the selection is shown", () => {
  const model = show(network, { ...NETWORK });
  part("enc").dispatchEvent(new Event("click"));
  expect(model.sent.at(-1)).toEqual({ layer: "enc" });
  expect(part("enc").getAttribute("aria-pressed")).toBe("true");
  part("enc -> dec").dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
  expect(model.sent.at(-1)).toEqual({ layer: "enc -> dec" });
  part("enc -> dec").dispatchEvent(new KeyboardEvent("keydown", { key: " " }));
  expect(model.sent.at(-1)).toEqual({ layer: null });
});

test("a network that is not known yet is announced in words", () => {
  show(network, { ...NETWORK, graph: { nodes: [], edges: [], flow: [] } });
  expect(el.textContent).toContain("appear here");
});

test("a narrow place gets a narrower diagram, and one number per box", () => {
  let resize: (entries: unknown[]) => void = () => {};
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(callback: (entries: unknown[]) => void) {
        resize = callback;
      }
      observe(): void {}
      disconnect(): void {}
    },
  );
  const kinds = ["mean", "zero", "noise"];
  const effects = {
    enc: [
      [-9, 0],
      [-8, 0],
      [-7, 1],
    ],
  };
  show(network, { ...NETWORK, kinds, effects });
  const width = () => Number(el.querySelector("svg")!.getAttribute("width"));
  const numbers = () => part("enc").querySelectorAll(".pdcr-box-effect").length;
  expect(numbers()).toBe(3);
  resize([{ contentRect: { width: 260 } }]);
  expect(width()).toBeLessThanOrEqual(260);
  expect(numbers()).toBe(1);
  resize([{ contentRect: { width: 0 } }]);
  expect(width()).toBeLessThanOrEqual(260);
});
