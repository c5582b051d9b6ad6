/** Run-length coding of a mask: lengths of alternating runs, starting with zeros. */

export function encodeRuns(values: Uint8Array): Uint32Array {
  const runs: number[] = [];
  let start = 0;
  let sought = 1;
  for (;;) {
    const end = values.indexOf(sought, start);
    if (end < 0) break;
    runs.push(end - start);
    start = end;
    sought ^= 1;
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
