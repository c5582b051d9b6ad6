import { clamp, type Point } from "./geometry";

export const MAX_ZOOM = 64;

/** Zoom relative to the whole picture, and the point in the middle as fractions of height and width. */
export type Zoom = readonly [zoom: number, row: number, column: number];

export const FIT: Zoom = [1, 0.5, 0.5];

/** Where the picture is on the stage, CSS pixels: screen = offset + image * scale. */
export interface View {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
}

export interface Frame {
  /** Stage, CSS pixels. */
  readonly stageWidth: number;
  readonly stageHeight: number;
  /** Picture, pixels. */
  readonly width: number;
  readonly height: number;
  /** Height of a pixel over its width. */
  readonly aspect: number;
}

export function viewOf(frame: Frame, zoom: Zoom): View {
  const { stageWidth, stageHeight, width, height, aspect } = frame;
  const fit = Math.min(stageWidth / width, stageHeight / (height * aspect));
  const scaleX = fit * zoom[0];
  const scaleY = scaleX * aspect;
  return {
    scaleX,
    scaleY,
    offsetX: stageWidth / 2 - zoom[2] * width * scaleX,
    offsetY: stageHeight / 2 - zoom[1] * height * scaleY,
  };
}

export const toImage = (view: View, point: Point): Point => ({
  x: (point.x - view.offsetX) / view.scaleX,
  y: (point.y - view.offsetY) / view.scaleY,
});

export const toScreen = (view: View, point: Point): Point => ({
  x: view.offsetX + point.x * view.scaleX,
  y: view.offsetY + point.y * view.scaleY,
});

/** Zooms by a factor so that the picture under `at` (stage, CSS pixels) stays where it is. */
export function zoomAt(frame: Frame, zoom: Zoom, at: Point, factor: number): Zoom {
  const next = clamp(zoom[0] * factor, 1, MAX_ZOOM);
  const under = toImage(viewOf(frame, zoom), at);
  const { scaleX, scaleY } = viewOf(frame, [next, 0.5, 0.5]);
  return keepInside(frame, [
    next,
    (under.y + (frame.stageHeight / 2 - at.y) / scaleY) / frame.height,
    (under.x + (frame.stageWidth / 2 - at.x) / scaleX) / frame.width,
  ]);
}

export function panBy(frame: Frame, zoom: Zoom, dx: number, dy: number): Zoom {
  const { scaleX, scaleY } = viewOf(frame, zoom);
  return keepInside(frame, [
    zoom[0],
    zoom[1] - dy / scaleY / frame.height,
    zoom[2] - dx / scaleX / frame.width,
  ]);
}

/** Moves the middle so that no more empty stage shows than the fitted picture leaves. */
export function keepInside(frame: Frame, zoom: Zoom): Zoom {
  const { scaleX, scaleY } = viewOf(frame, zoom);
  const halfRow = frame.stageHeight / 2 / (frame.height * scaleY);
  const halfColumn = frame.stageWidth / 2 / (frame.width * scaleX);
  return [
    zoom[0],
    halfRow >= 0.5 ? 0.5 : clamp(zoom[1], halfRow, 1 - halfRow),
    halfColumn >= 0.5 ? 0.5 : clamp(zoom[2], halfColumn, 1 - halfColumn),
  ];
}
