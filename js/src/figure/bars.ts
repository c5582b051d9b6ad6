import { COLORMAPS } from "../colormap";
import { h } from "../dom";
import { signed } from "../format";
import type { Bar } from "./wire";

/** Percent of the width that a number takes, and a little more. */
const ROOM = 30;

/** Ends of an axis that holds every bar with its error, and 0. */
export function span(bars: readonly Bar[]): [number, number] {
  let [low, high] = [0, 0];
  for (const { effect, stderr } of bars) {
    if (effect === null) continue;
    low = Math.min(low, effect - (stderr ?? 0));
    high = Math.max(high, effect + (stderr ?? 0));
  }
  return low === high ? [-1, 1] : [low, high];
}

/** The effect of a bar, points, with its standard error where it is not exact. */
export function barText({ effect, stderr }: Bar): string {
  if (effect === null) return "not measured";
  return stderr ? `${signed(effect)} \u00b1 ${stderr.toPrecision(2)}` : signed(effect);
}

/** Bars from a common zero, with standard errors; a bar that has more to show is a button. */
export function barChart(
  bars: readonly Bar[],
  colormap: string,
  open: ((name: string) => void) | null,
  opens: (name: string) => boolean = () => true,
): HTMLElement {
  const [low, high] = span(bars);
  const at = (value: number) => (100 * (value - low)) / (high - low);
  const rows = bars.map((bar) => {
    const opening = open !== null && opens(bar.name);
    const row = h(opening ? "button" : "div", { class: "pdcr-bar-row" });
    row.append(h("span", { class: "pdcr-bar-name", title: bar.name }, arrow(bar.name)));
    row.append(track(bar, at, colormap), h("span", { class: "pdcr-bar-value" }, barText(bar)));
    if (opening) row.addEventListener("click", () => open(bar.name));
    return row;
  });
  const axis = h("div", { class: "pdcr-bar-row pdcr-bar-axis", "aria-hidden": "true" });
  axis.append(h("span", {}), ends(low, high, at(0)), h("span", {}, "points"));
  return h("div", { class: "pdcr-bars" }, ...rows, axis);
}

/** Numbers under the ends of the bars and under 0, as far as there is room between them. */
function ends(low: number, high: number, zero: number): HTMLElement {
  const left = h("span", {}, zero > ROOM ? signed(low) : "");
  const right = h("span", {}, zero < 100 - ROOM ? signed(high) : "");
  const middle = h("span", { class: "pdcr-bar-zero-text", style: `left:${zero}%` }, "0");
  return h("span", { class: "pdcr-bar-ends" }, left, middle, right);
}

function track(bar: Bar, at: (value: number) => number, colormap: string): HTMLElement {
  const effect = bar.effect ?? 0;
  const stops = COLORMAPS[colormap] ?? COLORMAPS["red-blue"]!;
  const from = Math.min(at(0), at(effect));
  const width = Math.abs(at(effect) - at(0));
  const style = `left:${from}%;width:${width}%;background:${stops[effect < 0 ? 1 : 9]}`;
  const parts = [h("i", { class: "pdcr-bar-fill", style })];
  if (bar.effect !== null && bar.stderr) {
    const [left, right] = [at(effect - bar.stderr), at(effect + bar.stderr)];
    const error = `left:${left}%;width:${right - left}%`;
    parts.push(h("i", { class: "pdcr-bar-error", style: error }));
  }
  parts.push(h("i", { class: "pdcr-bar-zero", style: `left:${at(0)}%` }));
  return h("span", { class: "pdcr-bar-track" }, ...parts);
}

export const arrow = (name: string): string => name.replace(" -> ", " \u2192 ");
