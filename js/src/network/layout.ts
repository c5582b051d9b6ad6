/** Where the boxes of a network diagram are: the encoder goes down, the decoder comes up. */

export interface NodeWire {
  readonly name: string;
  readonly label: string;
  readonly group: string;
  /** Resolution, 0 is the finest. */
  readonly level: number;
}

export interface EdgeWire {
  readonly name: string;
  /** Places of the boxes that it joins. */
  readonly source: number;
  readonly target: number;
}

export interface GraphWire {
  readonly nodes: readonly NodeWire[];
  readonly edges: readonly EdgeWire[];
}

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Arc {
  readonly path: string;
  /** Middle of the horizontal part, where the effect is written. */
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly boxes: readonly Rect[];
  readonly flow: readonly string[];
  readonly arcs: readonly Arc[];
  readonly width: number;
  readonly height: number;
}

export const BOX = { width: 104, height: 40, across: 18, down: 34, margin: 10 };
const STEP = 11;

/** Column and row of every box, the rows without gaps. */
export function cells(nodes: readonly NodeWire[]): [column: number, row: number][] {
  const levels = [...new Set(nodes.map((node) => node.level))].sort((a, b) => a - b);
  const sides = nodes.map((node) => side(node.group));
  const taken = new Map<string, number>();
  const places = nodes.map((node, i) => {
    const key = `${sides[i]} ${node.level}`;
    const place = taken.get(key) ?? 0;
    taken.set(key, place + 1);
    return place;
  });
  const widest = (wanted: number) =>
    Math.max(0, ...places.map((place, i) => (sides[i] === wanted ? place + 1 : 0)));
  const starts = [0, widest(0), widest(0) + widest(1)];
  return nodes.map((node, i) => [starts[sides[i]!]! + places[i]!, levels.indexOf(node.level)]);
}

function side(group: string): number {
  return group === "encoder" ? 0 : group === "bottleneck" ? 1 : 2;
}

export function layout(graph: GraphWire): Layout {
  const placed = cells(graph.nodes);
  const boxes = placed.map(([column, row]) => ({
    x: BOX.margin + column * (BOX.width + BOX.across),
    y: BOX.margin + BOX.down + row * (BOX.height + BOX.down),
    width: BOX.width,
    height: BOX.height,
  }));
  const flow = boxes.slice(1).map((box, i) => link(boxes[i]!, box));
  const width = Math.max(0, ...boxes.map((b) => b.x + b.width)) + BOX.margin;
  const height = Math.max(0, ...boxes.map((b) => b.y + b.height)) + BOX.margin;
  return { boxes, flow, arcs: arcs(graph.edges, boxes), width, height };
}

/** A line from one box to the next one that runs. */
function link(from: Rect, to: Rect): string {
  const middle = (box: Rect) => box.y + box.height / 2;
  if (from.y === to.y) {
    const forward = to.x > from.x;
    const x = forward ? from.x + from.width : from.x;
    return `M${x} ${middle(from)}H${forward ? to.x : to.x + to.width}`;
  }
  const down = to.y > from.y;
  const start = `M${from.x + from.width / 2} ${down ? from.y + from.height : from.y}`;
  const end = down ? to.y : to.y + to.height;
  const turn = down ? end - 10 : end + 10;
  return `${start}V${turn}H${to.x + to.width / 2}V${end}`;
}

/** Bridges over the boxes; those over one row are stacked, so that each can be clicked. */
function arcs(edges: readonly EdgeWire[], boxes: readonly Rect[]): Arc[] {
  const over = new Map<number, number>();
  return edges.map((edge) => {
    const [from, to] = [boxes[edge.source]!, boxes[edge.target]!];
    const top = Math.min(from.y, to.y);
    const number = over.get(top) ?? 0;
    over.set(top, number + 1);
    const y = top - STEP - (number % 2) * STEP;
    const [a, b] = [from.x + from.width * 0.5, to.x + to.width * 0.5];
    const path = `M${a} ${from.y}V${y}H${b}V${to.y}`;
    return { path, x: (a + b) / 2, y };
  });
}
