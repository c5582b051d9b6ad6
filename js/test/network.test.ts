import { describe, expect, test } from "vitest";
import { ranked } from "../src/channel_strip";
import { BOX, cells, layout, type NodeWire } from "../src/network/layout";
import { effectColor, inkOn, ownLimit, place, tableOf } from "../src/network/paint";
import { grey } from "../src/network/thumbs";
import { short, shorten } from "../src/network_view";

const node = (name: string, group: string, level: number): NodeWire => ({
  name,
  label: name,
  group,
  level,
});

const UNET = [
  node("enc0", "encoder", 0),
  node("enc1", "encoder", 1),
  node("mid", "bottleneck", 3),
  node("up1", "decoder", 1),
  node("dec1", "decoder", 1),
  node("up0", "decoder", 0),
  node("dec0", "decoder", 0),
  node("head", "decoder", 0),
];

describe("layout of a U-Net", () => {
  test("the encoder is left of the bottleneck, the decoder right of it, finest on top", () => {
    expect(cells(UNET).map(([column, row]) => [column, row])).toEqual([
      [0, 0],
      [0, 1],
      [1, 2],
      [2, 1],
      [3, 1],
      [2, 0],
      [3, 0],
      [4, 0],
    ]);
  });

  test("where columns are few, boxes are stacked: the decoder upwards, as the data flows", () => {
    expect(cells(UNET, 1)).toEqual([
      [0, 0, 0],
      [0, 1, 0],
      [1, 2, 0],
      [2, 1, 1],
      [2, 1, 0],
      [2, 0, 2],
      [2, 0, 1],
      [2, 0, 0],
    ]);
    expect(cells(UNET, 2).slice(-3)).toEqual([
      [2, 0, 1],
      [2, 0, 0],
      [3, 0, 0],
    ]);
  });

  test.each([260, 330, 440, 700, 1280])("it fits into %i pixels, without overlap", (room) => {
    const edges = [
      { name: "enc0 -> dec0", source: 0, target: 6 },
      { name: "enc1 -> dec1", source: 1, target: 4 },
    ];
    const { boxes, arcs, width } = layout({ nodes: UNET, edges, flow: [] }, room);
    expect(width).toBeLessThanOrEqual(room);
    boxes.forEach((a, i) => {
      expect(a.width).toBeGreaterThanOrEqual(BOX.least);
      for (const b of boxes.slice(i + 1)) {
        expect(Math.abs(a.x - b.x) >= a.width || Math.abs(a.y - b.y) >= a.height).toBe(true);
      }
    });
    expect(new Set(arcs.map((arc) => arc.y)).size).toBe(2);
  });

  test("no two boxes overlap and all are inside", () => {
    const { boxes, width, height } = layout({ nodes: UNET, edges: [], flow: [] });
    boxes.forEach((a, i) => {
      expect(a.x + a.width).toBeLessThanOrEqual(width - BOX.margin);
      expect(a.y + a.height).toBeLessThanOrEqual(height - BOX.margin);
      for (const b of boxes.slice(i + 1)) {
        const apart = Math.abs(a.x - b.x) >= a.width || Math.abs(a.y - b.y) >= a.height;
        expect(apart).toBe(true);
      }
    });
  });

  test("boxes that follow each other are joined, and skips bridge above both ends", () => {
    const edges = [{ name: "enc0 -> dec0", source: 0, target: 6 }];
    const { boxes, flow, arcs } = layout({
      nodes: UNET,
      edges,
      flow: [
        [0, 1],
        [1, 2],
      ],
    });
    expect(flow).toHaveLength(2);
    expect(arcs[0]!.y).toBeLessThan(boxes[0]!.y);
    expect(arcs[0]!.y).toBeGreaterThan(0);
    expect(arcs[0]!.path.startsWith(`M${boxes[0]!.x + BOX.width / 2} ${boxes[0]!.y}`)).toBe(true);
  });

  test("a network without boxes has no size to speak of", () => {
    expect(layout({ nodes: [], edges: [], flow: [] }).boxes).toEqual([]);
  });
});

describe("colours", () => {
  const table = tableOf("red-blue");

  test("negative is red, none is white, positive is blue, unknown has none", () => {
    expect(effectColor(-5, 5, table)).toBe("rgb(103, 0, 31)");
    expect(effectColor(0, 5, table)).toBe("rgb(255, 255, 255)");
    expect(effectColor(99, 5, table)).toBe("rgb(5, 48, 97)");
    expect(effectColor(Number.NaN, 5, table)).toBeNull();
  });

  test("a logarithmic scale keeps sign, ends and middle, and lifts small effects", () => {
    for (const effect of [-90, 0, 90]) expect(place(effect, 90, "log")).toBe(Math.sign(effect));
    expect(place(-3, 90, "log")).toBeCloseTo(-Math.log(4) / Math.log(91));
    expect(Math.abs(place(-3, 90, "log"))).toBeGreaterThan(Math.abs(place(-3, 90, "linear")));
  });

  test("ink is readable on its ground", () => {
    expect(inkOn("rgb(103, 0, 31)")).toBe("#fff");
    expect(inkOn("rgb(255, 255, 255)")).toBe("#000");
  });

  test("the limit is the largest size that is known", () => {
    const effects = { a: [[-3, 0] as const], b: [[null, null] as const, [2, 1] as const] };
    expect(ownLimit(effects)).toBe(3);
    expect(ownLimit({})).toBe(1);
  });
});

test("channels are ranked by size, unknown ones last and in order", () => {
  expect(ranked(["a", "b", "c", "d", "e"], [1, null, -4, 0, null])).toEqual([2, 0, 3, 1, 4]);
});

test("a long name keeps its end", () => {
  expect(shorten("encoder.layer4", 15)).toBe("encoder.layer4");
  expect(shorten("model.1.submodule.0", 12)).toBe("\u2026submodule.0");
});

test("numbers on boxes are short, and tiny ones are told from none", () => {
  const shown = [-88.6, 9.96, -2.65, 0.996, 0.057, -0.0089, 0.0004, 0, Number.NaN].map(short);
  expect(shown).toEqual([
    "\u221289",
    "+10",
    "\u22122.6",
    "+1.0",
    "+0.06",
    "\u22120.01",
    "\u00b10.00",
    "0",
    "",
  ]);
});

test("grey values become opaque pixels", () => {
  expect([...grey(Uint8Array.from([7, 255]))]).toEqual([7, 7, 7, 255, 255, 255, 255, 255]);
});
