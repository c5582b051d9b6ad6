import { type IconName, icon } from "./icons";

type Attributes = Readonly<Record<string, string>>;

/** An element with attributes and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Sets a text, unless it is there: a page need not be laid out again for nothing. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets an attribute, unless it is there. */
export function assign(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function iconButton(name: IconName, label: string, keys = ""): HTMLButtonElement {
  const title = keys ? `${label} (${keys})` : label;
  const attributes = { type: "button", class: "pdcr-button", "aria-label": label, title };
  const button = h("button", attributes);
  button.append(icon(name));
  return button;
}

let count = 0;

/** An id that no other element of the page has. */
export const uniqueId = (name: string): string => `pdcr-${name}-${++count}`;
