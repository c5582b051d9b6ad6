import { h } from "../dom";
import { icon } from "../icons";
import { inBytes } from "./bytes";

export interface Entry {
  readonly name: string;
  readonly folder: boolean;
  readonly size: number;
}

export interface Listing {
  readonly root: string;
  readonly place: readonly string[];
  readonly more: boolean;
  readonly entries: readonly Entry[];
}

export type Ask = (content: Record<string, unknown>) => void;

/** The folders above, each a button that leads there. */
export function crumbs(listing: Listing, ask: Ask): HTMLElement {
  const row = h("nav", { class: "pdcr-files-crumbs", "aria-label": "Folder" });
  const names = [listing.root, ...listing.place];
  names.forEach((name, depth) => {
    if (depth > 0) row.append(h("span", { "aria-hidden": "true" }, "/"));
    const here = depth === names.length - 1;
    const button = h(
      "button",
      { type: "button", ...(here ? { "aria-current": "true" } : {}) },
      name,
    );
    button.addEventListener("click", () =>
      ask({ type: "open", place: listing.place.slice(0, depth) }),
    );
    row.append(button);
  });
  return row;
}

/** Files and folders whose name contains a text. */
export function rows(listing: Listing, filter: string, current: string, ask: Ask): HTMLElement[] {
  const wanted = filter.trim().toLowerCase();
  const shown = listing.entries.filter(({ name }) => name.toLowerCase().includes(wanted));
  const found: HTMLElement[] = shown.map((entry) => row(entry, listing, current, ask));
  if (found.length === 0) {
    const words = wanted
      ? `Nothing here is called \u201c${filter.trim()}\u201d`
      : "Nothing is in here";
    return [h("p", { class: "pdcr-files-empty" }, words)];
  }
  if (listing.more) found.push(h("p", { class: "pdcr-files-empty" }, "\u2026 and more"));
  return found;
}

function row(entry: Entry, listing: Listing, current: string, ask: Ask): HTMLButtonElement {
  const size = entry.folder ? "" : inBytes(entry.size);
  const button = h(
    "button",
    { type: "button", class: "pdcr-files-row", title: entry.name },
    icon(entry.folder ? "folder" : "file"),
    h("span", { class: "pdcr-files-name" }, entry.name),
    h("span", { class: "pdcr-files-size" }, size),
  );
  if (!entry.folder && entry.name === current) button.setAttribute("aria-current", "true");
  button.addEventListener("click", () =>
    ask({ type: "open", place: [...listing.place, entry.name] }),
  );
  return button;
}
