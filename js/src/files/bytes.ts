const UNITS = ["bytes", "KiB", "MiB"];

/** A number of bytes as people read it. */
export function inBytes(size: number): string {
  let left = size;
  for (const unit of UNITS) {
    if (left < 1024) return `${Number(left.toPrecision(4))} ${unit}`;
    left /= 1024;
  }
  return `${Number(left.toPrecision(4))} GiB`;
}
