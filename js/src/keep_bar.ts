import type { AnyModel, RenderProps } from "@anywidget/types";
import { h, write } from "./dom";
import "./keep/keep.css";

/** What is kept of an explorer: its cell on the clipboard, its results as files. */

export type KeepTraits = { formats: [string, string][] };

type Answer =
  | { type: "python"; id: number; text: string }
  | { type: "file"; id: number; name: string; mime: string }
  | { type: "failed"; id: number; error: string };

type Told = { answer: Answer; buffers: DataView[] };

/** Asks the kernel and waits for the answer with the same number. */
export class Questions {
  private count = 0;
  private readonly waiting = new Map<number, (told: Told) => void>();

  constructor(private readonly model: AnyModel<KeepTraits>) {
    model.on("msg:custom", (answer: Answer, buffers: DataView[]) => {
      this.waiting.get(answer.id)?.({ answer, buffers });
      this.waiting.delete(answer.id);
    });
  }

  ask(question: Record<string, unknown>): Promise<Told> {
    const id = ++this.count;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, (told) => {
        if (told.answer.type === "failed") reject(new Error(told.answer.error));
        else resolve(told);
      });
      this.model.send({ ...question, id });
    });
  }
}

/** Puts a text that is still on its way on the clipboard; the click that asked for it counts. */
async function toClipboard(text: Promise<string>): Promise<void> {
  if (typeof ClipboardItem === "undefined" || !navigator.clipboard) {
    throw new Error("this page may not use the clipboard");
  }
  const blob = text.then((words) => new Blob([words], { type: "text/plain" }));
  await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
}

function download(name: string, mime: string, bytes: DataView): void {
  const address = URL.createObjectURL(new Blob([bytes as DataView<ArrayBuffer>], { type: mime }));
  const link = h("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function render({ model: anyModel, el }: RenderProps): void {
  const model = anyModel as unknown as AnyModel<KeepTraits>;
  const questions = new Questions(model);
  const words = h("span", { class: "pdcr-keep-words", role: "status" });
  const copy = h("button", { type: "button", class: "pdcr-keep-button" }, "Copy as Python");
  const save = h("button", { type: "button", class: "pdcr-keep-button" }, "Save");
  const menu = h("select", { "aria-label": "What to save" });
  const cell = h("textarea", { readonly: "", "aria-label": "Python", rows: "8", hidden: "" });
  copy.title = "Put a cell that computes this on the clipboard";
  save.title = "Download";
  for (const [name, label] of model.get("formats"))
    menu.append(h("option", { value: name }, label));
  const controls = [copy, save, menu];

  const during = async (what: string, work: () => Promise<string>): Promise<void> => {
    for (const control of controls) control.disabled = true;
    write(words, what);
    words.classList.remove("pdcr-keep-failed");
    try {
      write(words, await work());
    } catch (error) {
      words.classList.add("pdcr-keep-failed");
      write(words, error instanceof Error ? error.message : String(error));
    } finally {
      for (const control of controls) control.disabled = false;
    }
  };

  copy.addEventListener("click", () =>
    during("Writing …", async () => {
      const asked = questions.ask({ type: "python" });
      const text = asked.then(({ answer }) => (answer as { text: string }).text);
      cell.hidden = true;
      try {
        await toClipboard(text);
        return "Copied: paste it into a cell";
      } catch {
        cell.value = await text;
        cell.hidden = false;
        cell.select();
        return "The browser keeps its clipboard closed here: copy the text below";
      }
    }),
  );
  save.addEventListener("click", () =>
    during("Making the file …", async () => {
      const { answer, buffers } = await questions.ask({ type: "save", format: menu.value });
      const { name, mime } = answer as { name: string; mime: string };
      download(name, mime, buffers[0]!);
      return `Saved as ${name}`;
    }),
  );
  el.append(h("div", { class: "pdcr-keep" }, ...controls, words), cell);
}

export default { render };
