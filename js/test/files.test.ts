// @vitest-environment happy-dom
import type { RenderProps } from "@anywidget/types";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import chooser from "../src/file_chooser";
import { inBytes } from "../src/files/bytes";
import { filesIn } from "../src/files/dropped";
import { PART, Sending } from "../src/files/sending";

type State = Record<string, unknown>;

class Model {
  readonly sent: { content: State; buffers: ArrayBuffer[] }[] = [];
  private readonly listeners = new Map<string, ((value: unknown) => void)[]>();
  constructor(readonly state: State) {}
  get = (name: string): unknown => this.state[name];
  on = (event: string, listener: (value: unknown) => void): void => {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
  };
  off = (): void => {};
  send = (content: State, _callbacks?: unknown, buffers: ArrayBuffer[] = []): void => {
    this.sent.push({ content, buffers });
  };
  update(state: State): void {
    Object.assign(this.state, state);
    for (const name of Object.keys(state)) this.hear(`change:${name}`, undefined);
  }
  hear(event: string, value: unknown): void {
    for (const listener of this.listeners.get(event) ?? []) listener(value);
  }
}

const LISTING = {
  root: "study",
  place: ["patient"],
  more: false,
  entries: [
    { name: "series", folder: true, size: 0 },
    { name: "a.nii", folder: false, size: 2048 },
    { name: "b.nii", folder: false, size: 5 },
  ],
};

let el: HTMLElement;
beforeEach(() => {
  el = document.body.appendChild(document.createElement("div"));
});
afterEach(() => {
  el.remove();
});

function show(state: State = {}): Model {
  const all = { listing: LISTING, limit: 1024, note: "", wrong: false, current: "", ...state };
  const model = new Model(all);
  const signal = new AbortController().signal;
  chooser.render({ model, el, signal } as unknown as RenderProps);
  return model;
}

const names = () => [...el.querySelectorAll(".pdcr-files-name")].map((name) => name.textContent);

test("a click asks for a file or a folder by its names below the root", () => {
  const model = show();
  expect(names()).toEqual(["series", "a.nii", "b.nii"]);
  el.querySelectorAll<HTMLButtonElement>(".pdcr-files-row")[1]!.click();
  const [root, here] = el.querySelectorAll<HTMLButtonElement>(".pdcr-files-crumbs button");
  expect(here!.getAttribute("aria-current")).toBe("true");
  root!.click();
  el.querySelector<HTMLButtonElement>(".pdcr-files-whole")!.click();
  expect(model.sent.map(({ content }) => content)).toEqual([
    { type: "open", place: ["patient", "a.nii"] },
    { type: "open", place: [] },
    { type: "folder", place: ["patient"] },
  ]);
});

test("names are filtered, and the file that was chosen is marked", () => {
  const model = show();
  const filter = el.querySelector<HTMLInputElement>("input[type=search]")!;
  filter.value = "NII";
  filter.dispatchEvent(new Event("input"));
  expect(names()).toEqual(["a.nii", "b.nii"]);
  filter.value = "zzz";
  filter.dispatchEvent(new Event("input"));
  expect(el.querySelector(".pdcr-files-empty")!.textContent).toContain("zzz");
  model.update({ listing: { ...LISTING, place: [] }, current: "b.nii" });
  expect(filter.value).toBe("");
  const marked = el.querySelectorAll(".pdcr-files-row[aria-current]");
  expect([...marked].map((row) => row.textContent)).toEqual(["b.nii5 bytes"]);
});

test("a folder without files is no series, and without a limit nothing is sent", () => {
  const entries = [{ name: "series", folder: true, size: 0 }];
  show({ listing: { ...LISTING, entries }, limit: 0 });
  expect(el.querySelector<HTMLElement>(".pdcr-files-whole")!.hidden).toBe(true);
  expect(el.querySelector(".pdcr-files-drop")).toBeNull();
});

test("a name is text and never markup", () => {
  const entries = [{ name: "<img src=x onerror=alert(1)>", folder: false, size: 0 }];
  show({ listing: { ...LISTING, entries }, note: "<b>note</b>", wrong: true });
  expect(el.querySelector("img, b")).toBeNull();
  expect(el.querySelector(".pdcr-files-note")!.className).toContain("wrong");
});

test("a file is sent in parts, each after the one before was received", async () => {
  const bytes = new Uint8Array(PART + 3).map((_, i) => i % 251);
  const files = [new File([bytes], "scan.nii"), new File([], "empty"), new File(["xy"], "b")];
  const sent: { content: State; buffers: ArrayBuffer[] }[] = [];
  const shares: number[] = [];
  const sending = new Sending(
    files,
    { send: (content, buffers = []) => void sent.push({ content: content as State, buffers }) },
    (share) => void shares.push(share),
  );
  expect(sent[0]!.content).toEqual({
    type: "begin",
    files: [
      { name: "scan.nii", size: PART + 3 },
      { name: "empty", size: 0 },
      { name: "b", size: 2 },
    ],
  });
  while (await sending.received());
  expect(sent.slice(1).map(({ content }) => content)).toEqual([
    { type: "part", file: 0, start: 0 },
    { type: "part", file: 0, start: PART },
    { type: "part", file: 2, start: 0 },
  ]);
  expect(new Uint8Array(sent[2]!.buffers[0]!)).toEqual(bytes.slice(PART));
  expect(shares.at(-1)).toBe(1);
});

test("what was stopped sends no more", async () => {
  const send = vi.fn();
  const sending = new Sending([new File(["abc"], "a")], { send }, () => {});
  sending.stop();
  expect(await sending.received()).toBe(false);
  expect(send.mock.calls.map(([content]) => content.type)).toEqual(["begin", "cancel"]);
});

test("dropped folders give the files in them, without hidden ones", async () => {
  const file = (name: string) => ({
    name,
    isFile: true,
    file: (yes: (file: File) => void) => yes(new File([name], name)),
  });
  const folder = (name: string, inside: unknown[]) => ({
    name,
    isFile: false,
    createReader: () => {
      const parts = [inside, []];
      return { readEntries: (yes: (some: unknown[]) => void) => yes(parts.shift()!) };
    },
  });
  const dropped = [
    file("z.png"),
    folder("series", [file("2.dcm"), file(".DS_Store"), file("1.dcm")]),
  ];
  const items = dropped.map((entry) => ({ webkitGetAsEntry: () => entry }));
  const found = await filesIn({ items, files: [] } as unknown as DataTransfer);
  expect(found.map(({ name }) => name)).toEqual(["z.png", "1.dcm", "2.dcm"]);
});

test.each([
  [0, "0 bytes"],
  [1000, "1000 bytes"],
  [2048, "2 KiB"],
  [2 ** 28, "256 MiB"],
  [2 ** 31, "2 GiB"],
])("%i is read as %s", (size, words) => {
  expect(inBytes(size)).toBe(words);
});
