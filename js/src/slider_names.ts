/** Sliders of ipywidgets show a label and have no name for those who cannot see it: they get one. */
export function nameSliders(inside: HTMLElement, signal: AbortSignal): void {
  const observer = new MutationObserver(name);
  let root: Element | null = null;

  function name(): void {
    for (const handle of root?.querySelectorAll(".noUi-handle:not([aria-label])") ?? []) {
      const label = handle.closest(".widget-slider")?.querySelector(".widget-label");
      if (label?.textContent) handle.setAttribute("aria-label", label.textContent);
    }
  }

  // A widget is put into its page after it was drawn.
  requestAnimationFrame(() => {
    root = inside.closest(".pdcr");
    if (!root || signal.aborted) return;
    observer.observe(root, { childList: true, subtree: true });
    name();
  });
  signal.addEventListener("abort", () => observer.disconnect());
}
