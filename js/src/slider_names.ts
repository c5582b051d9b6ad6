/** Sliders of ipywidgets show a label and have no name for those who cannot see it: they get one. */
export function nameSliders(inside: HTMLElement, signal: AbortSignal): void {
  let root: Element | null = null;
  const name = () => {
    for (const handle of root?.querySelectorAll(".noUi-handle:not([aria-label])") ?? []) {
      const label = handle.closest(".widget-slider")?.querySelector(".widget-label");
      if (label?.textContent) handle.setAttribute("aria-label", label.textContent);
    }
  };
  const added = new MutationObserver(name);
  // A widget is put into its page after it was drawn: it has no size before.
  const shown = new ResizeObserver(() => {
    const now = outermost(inside);
    if (!now || now === root) return;
    root = now;
    added.disconnect();
    added.observe(root, { childList: true, subtree: true });
    name();
  });
  shown.observe(inside);
  signal.addEventListener("abort", () => {
    shown.disconnect();
    added.disconnect();
  });
}

/** The largest of our widgets that an element is part of. */
function outermost(element: Element): Element | null {
  const around = element.closest(".pdcr");
  return around?.parentElement ? (outermost(around.parentElement) ?? around) : around;
}
