import type { AnyModel, RenderProps } from "@anywidget/types";
import { h } from "./dom";
import { inBytes } from "./files/bytes";
import { filesIn } from "./files/dropped";
import "./files/files.css";
import { type Ask, crumbs, type Listing, rows } from "./files/listing";
import { type Sendable, Sending } from "./files/sending";

export type FileTraits = {
  listing: Listing | null;
  limit: number;
  note: string;
  wrong: boolean;
  current: string;
};

export const FILE_TRAITS = [
  "listing",
  "limit",
  "note",
  "wrong",
  "current",
] as const satisfies readonly (keyof FileTraits)[];

type Model = AnyModel<FileTraits>;

/** A folder to look into, and a place to drop files on. */
function render({ model: anyModel, el, signal }: RenderProps): void {
  const model = anyModel as unknown as Model;
  const ask: Ask = (content) => model.send(content);
  const note = h("p", { class: "pdcr-files-note", role: "status" });
  const parts: HTMLElement[] = [];
  if (model.get("listing") !== null) parts.push(browser(model, ask));
  if (model.get("limit") > 0) parts.push(mailbox(model, signal));
  el.append(h("div", { class: "pdcr-files" }, ...parts, note));
  const tell = () => {
    note.textContent = model.get("note");
    note.classList.toggle("pdcr-files-wrong", model.get("wrong"));
    note.hidden = model.get("note") === "";
  };
  for (const name of ["note", "wrong"] as const) model.on(`change:${name}`, tell);
  tell();
}

function browser(model: Model, ask: Ask): HTMLElement {
  const path = h("div", { class: "pdcr-files-path" });
  const list = h("div", { class: "pdcr-files-list", role: "group", "aria-label": "Files" });
  const filter = h("input", {
    type: "search",
    placeholder: "Filter",
    "aria-label": "Filter files",
  });
  const whole = h("button", { type: "button", class: "pdcr-files-whole" }, "Use the whole folder");
  whole.addEventListener("click", () =>
    ask({ type: "folder", place: model.get("listing")!.place }),
  );
  const fill = () => {
    const listing = model.get("listing")!;
    const again = list.contains(document.activeElement);
    list.replaceChildren(...rows(listing, filter.value, model.get("current"), ask));
    whole.hidden = !listing.entries.some((entry) => !entry.folder);
    if (again) list.querySelector("button")?.focus();
  };
  const go = () => {
    path.replaceChildren(crumbs(model.get("listing")!, ask));
    filter.value = "";
    fill();
  };
  filter.addEventListener("input", fill);
  model.on("change:listing", go);
  model.on("change:current", fill);
  list.addEventListener("keydown", (event) => move(list, event));
  go();
  return h("div", {}, h("div", { class: "pdcr-files-bar" }, path, filter, whole), list);
}

function move(list: HTMLElement, event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  const all = [...list.querySelectorAll("button")];
  all[all.indexOf(document.activeElement as HTMLButtonElement) + step]?.focus();
  event.preventDefault();
}

/** Takes files that are dropped on it or picked, and shows how far they are. */
function mailbox(model: Model, signal: AbortSignal): HTMLElement {
  const words = h(
    "span",
    {},
    `Drop files or a folder here, up to ${inBytes(model.get("limit"))}, or `,
  );
  const input = h("input", { type: "file", multiple: "", "aria-label": "Send files", hidden: "" });
  const pick = h("button", { type: "button" }, "choose on this computer");
  const bar = h("progress", { max: "1", "aria-label": "Sent" });
  const stop = h("button", { type: "button" }, "Cancel");
  const under = h("div", { class: "pdcr-files-sending" }, bar, stop);
  const zone = h("div", { class: "pdcr-files-drop" }, h("p", {}, words, pick), input, under);
  let sending: Sending | null = null;
  const end = () => {
    sending = null;
    under.hidden = true;
    zone.classList.remove("pdcr-files-busy");
  };
  const send = (files: readonly Sendable[]) => {
    if (files.length === 0 || sending !== null) return;
    zone.classList.add("pdcr-files-busy");
    under.hidden = false;
    bar.value = 0;
    const channel = {
      send: (content: unknown, buffers: ArrayBuffer[] = []) =>
        model.send(content, undefined, buffers),
    };
    sending = new Sending(files, channel, (share) => {
      bar.value = share;
    });
  };
  const hear = async (message: { type: string }) => {
    if (message.type === "refused") end();
    else if (message.type === "received" && sending !== null && !(await sending.received())) end();
  };
  model.on("msg:custom", hear);
  signal?.addEventListener("abort", () => {
    model.off("msg:custom", hear);
    sending?.stop();
  });
  stop.addEventListener("click", () => {
    sending?.stop();
    end();
  });
  pick.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    send([...(input.files ?? [])]);
    input.value = "";
  });
  receive(zone, send);
  end();
  return zone;
}

/** Keeps the page from opening what is dropped, and shows that it may be dropped. */
function receive(zone: HTMLElement, send: (files: readonly Sendable[]) => void): void {
  let depth = 0;
  const over = (by: number) => {
    depth = by === 0 ? 0 : depth + by;
    zone.classList.toggle("pdcr-files-over", depth > 0);
  };
  zone.addEventListener("dragenter", (event) => {
    event.preventDefault();
    over(1);
  });
  zone.addEventListener("dragleave", () => over(-1));
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    event.stopPropagation();
    if (event.dataTransfer !== null) event.dataTransfer.dropEffect = "copy";
  });
  zone.addEventListener("drop", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    over(0);
    if (event.dataTransfer !== null) send(await filesIn(event.dataTransfer));
  });
}

export default { render };
