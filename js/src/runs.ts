/** Run-length coding of a mask: lengths of alternating runs, starting with zeros. */

export function encodeRuns(values: Uint8Array): Uint32Array {
  const runs: number[] = [];
  let current = 0;
  let start = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== current) {
      runs.push(i - start);
      current = values[i]!;
      start = i;
    }
  }
  runs.push(values.length - start);
  return Uint32Array.from(runs);
}

export function decodeRuns(runs: Uint32Array, length: number): Uint8Array {
  const values = new Uint8Array(length);
  let at = 0;
  runs.forEach((run, index) => {
    if (index % 2) values.fill(1, at, at + run);
    at += run;
  });
  return values;
}
