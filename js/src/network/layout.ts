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
  /** Places of the boxes of which the second reads the first. */
  readonly flow: readonly (readonly [number, number])[];
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

export const BOX = { width: 104, least: 62, height: 40, across: 16, down: 34, margin: 10, gap: 6 };
const STEP = 11;

/** Column, row, and place from the top of a stack of boxes in one cell. */
export type Cell = readonly [column: number, row: number, place: number];

/**
 * Column and row of every box, the rows without gaps.
 *
 * Boxes of one resolution lie side by side in at most `most` columns per side, and on top of each
 * other where there are more: downwards in the encoder, upwards in the decoder, as the data flows.
 */
export function cells(nodes: readonly NodeWire[], most = Number.POSITIVE_INFINITY): Cell[] {
  const levels = [...new Set(nodes.map((node) => node.level))].sort((a, b) => a - b);
  const sides = nodes.map((node) => side(node.group));
  const counts = new Map<string, number>();
  const orders = nodes.map((node, i) => {
    const key = `${sides[i]} ${node.level}`;
    const order = counts.get(key) ?? 0;
    counts.set(key, order + 1);
    return order;
  });
  const columnsOf = (wanted: number) =>
    Math.max(
      0,
      ...[...counts].map(([key, n]) =>
        Number(key.split(" ")[0]) === wanted ? Math.min(n, most) : 0,
      ),
    );
  const starts = [0, columnsOf(0), columnsOf(0) + columnsOf(1)];
  return nodes.map((node, i) => {
    const count = counts.get(`${sides[i]} ${node.level}`)!;
    const columns = Math.min(count, most);
    const tall = Math.ceil(count / columns);
    const column = Math.floor(orders[i]! / tall);
    const inStack = Math.min(tall, count - column * tall);
    const place = orders[i]! % tall;
    const down = sides[i] === 2 ? inStack - 1 - place : place;
    return [starts[sides[i]!]! + column, levels.indexOf(node.level), down] as const;
  });
}

function side(group: string): number {
  return group === "encoder" ? 0 : group === "bottleneck" ? 1 : 2;
}

/** Lay a network out so that it fits into a width where that can be read. */
export function layout(graph: GraphWire, room = Number.POSITIVE_INFINITY): Layout {
  const placed = fitting(graph.nodes, room);
  const columns = 1 + Math.max(-1, ...placed.map(([column]) => column));
  const free = (room - 2 * BOX.margin - (columns - 1) * BOX.across) / columns;
  const width = Math.max(BOX.least, Math.min(BOX.width, Math.floor(free)));
  const tops = rowTops(placed);
  const boxes = placed.map(([column, row, place]) => ({
    x: BOX.margin + column * (width + BOX.across),
    y: tops[row]! + place * (BOX.height + BOX.gap),
    width,
    height: BOX.height,
  }));
  const flow = graph.flow.map(([from, to]) => link(boxes[from]!, boxes[to]!));
  const right = Math.max(0, ...boxes.map((b) => b.x + b.width)) + BOX.margin;
  const bottom = Math.max(0, ...boxes.map((b) => b.y + b.height)) + BOX.margin;
  return { boxes, flow, arcs: arcs(graph.edges, boxes, tops), width: right, height: bottom };
}

/** As many columns per side as fit at full width, at least one. */
function fitting(nodes: readonly NodeWire[], room: number): Cell[] {
  for (const most of [Number.POSITIVE_INFINITY, 4, 3, 2]) {
    const placed = cells(nodes, most);
    const columns = 1 + Math.max(-1, ...placed.map(([column]) => column));
    if (columns * (BOX.width + BOX.across) - BOX.across + 2 * BOX.margin <= room) return placed;
  }
  return cells(nodes, 1);
}

function rowTops(placed: readonly Cell[]): number[] {
  const tall: number[] = [];
  for (const [, row, place] of placed) tall[row] = Math.max(tall[row] ?? 0, place + 1);
  let top = BOX.margin + BOX.down;
  return tall.map((count) => {
    const here = top;
    top += count * (BOX.height + BOX.gap) - BOX.gap + BOX.down;
    return here;
  });
}

/** A line from one box to one that reads it. */
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
  const turn = down ? Math.max(end - 10, from.y + from.height) : Math.min(end + 10, from.y);
  return `${start}V${turn}H${to.x + to.width / 2}V${end}`;
}

/** Bridges over the rows of boxes; those over one row are stacked, so that each can be clicked. */
function arcs(edges: readonly EdgeWire[], boxes: readonly Rect[], tops: readonly number[]): Arc[] {
  const over = new Map<number, number>();
  return edges.map((edge) => {
    const [from, to] = [boxes[edge.source]!, boxes[edge.target]!];
    const highest = Math.min(from.y, to.y);
    const top = Math.max(...tops.filter((row) => row <= highest));
    const number = over.get(top) ?? 0;
    over.set(top, number + 1);
    const y = top - STEP - (number % 2) * STEP;
    const [a, b] = [foot(from, top, true), foot(to, top, false)];
    return { path: `M${a.x} ${a.y}V${y}H${b.x}V${b.y}`, x: (a.x + b.x) / 2, y };
  });
}

/** Where a bridge meets a box: its top, or its side where another box lies on top of it. */
function foot(box: Rect, top: number, leaves: boolean): { x: number; y: number } {
  if (box.y === top) return { x: box.x + box.width / 2, y: box.y };
  const x = leaves ? box.x + box.width + BOX.across / 2 - 2 : box.x - BOX.across / 2 + 2;
  return { x, y: box.y + box.height / 2 };
}
