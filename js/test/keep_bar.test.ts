// @vitest-environment happy-dom
import type { RenderProps } from "@anywidget/types";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import keep from "../src/keep_bar";

type Message = Record<string, unknown>;

/** A kernel that answers when the test says so. */
class Model {
  readonly asked: Message[] = [];
  private listener: (answer: Message, buffers: DataView[]) => void = () => {};
  get = (): [string, string][] => [
    ["npz", "All numbers"],
    ["csv", "Table"],
  ];
  on = (_event: string, listener: (answer: Message, buffers: DataView[]) => void): void => {
    this.listener = listener;
  };
  send = (message: Message): void => {
    this.asked.push(message);
  };
  answer(answer: Message, buffers: DataView[] = []): void {
    this.listener({ id: this.asked.at(-1)?.id, ...answer }, buffers);
  }
}

let el: HTMLElement;
let model: Model;

const button = (name: string): HTMLButtonElement =>
  [...el.querySelectorAll("button")].find((each) => each.textContent === name)!;
const words = (): string => el.querySelector(".pdcr-keep-words")!.textContent!;

beforeEach(() => {
  el = document.body.appendChild(document.createElement("div"));
  model = new Model();
  keep.render({ model, el } as unknown as RenderProps);
});

afterEach(() => {
  el.remove();
  vi.unstubAllGlobals();
});

test("a copied cell is on the clipboard", async () => {
  const written: string[] = [];
  vi.stubGlobal(
    "ClipboardItem",
    class {
      constructor(readonly parts: Record<string, Promise<Blob>>) {}
    },
  );
  vi.stubGlobal("navigator", {
    clipboard: {
      write: async ([item]: { parts: Record<string, Promise<Blob>> }[]) => {
        written.push(await (await item!.parts["text/plain"]!).text());
      },
    },
  });
  button("Copy as Python").click();
  expect(button("Save").disabled).toBe(true);
  expect(model.asked).toEqual([{ type: "python", id: 1 }]);
  model.answer({ type: "python", text: "print(1)" });
  await vi.waitFor(() => expect(words()).toBe("Copied: paste it into a cell"));
  expect(written).toEqual(["print(1)"]);
  expect(button("Save").disabled).toBe(false);
});

test("a page that may not use the clipboard shows the cell instead", async () => {
  vi.stubGlobal("navigator", {});
  const area = el.querySelector("textarea")!;
  expect(area.hidden).toBe(true);
  button("Copy as Python").click();
  model.answer({ type: "python", text: "print(2)" });
  await vi.waitFor(() => expect(words()).toContain("copy the text below"));
  expect(area.hidden).toBe(false);
  expect(area.value).toBe("print(2)");
});

test("what the kernel says went wrong is shown as text", async () => {
  button("Save").click();
  model.answer({ type: "failed", error: "no map yet <img>" });
  await vi.waitFor(() => expect(words()).toBe("no map yet <img>"));
  expect(el.querySelector(".pdcr-keep-failed")).not.toBeNull();
  expect(el.querySelector("img")).toBeNull();
  button("Save").click();
  expect(el.querySelector(".pdcr-keep-failed")).toBeNull();
});

test("the chosen file is downloaded under its name", async () => {
  const clicked: string[] = [];
  vi.stubGlobal("URL", { createObjectURL: () => "blob:here", revokeObjectURL: () => {} });
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
    this: HTMLAnchorElement,
  ) {
    clicked.push(`${this.download} ${this.getAttribute("href")}`);
  });
  el.querySelector("select")!.value = "csv";
  button("Save").click();
  expect(model.asked).toEqual([{ type: "save", format: "csv", id: 1 }]);
  const bytes = new DataView(new ArrayBuffer(2));
  model.answer({ type: "file", name: "pdcr-map.csv", mime: "text/csv" }, [bytes]);
  await vi.waitFor(() => expect(words()).toBe("Saved as pdcr-map.csv"));
  expect(clicked).toEqual(["pdcr-map.csv blob:here"]);
});
