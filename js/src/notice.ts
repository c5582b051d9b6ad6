import { h } from "./dom";

/** Short messages over the picture. */
export class Notice {
  readonly element = h("div", { class: "pdcr-notice", role: "status" });
  private timer = 0;
  private lasting = "";

  constructor(signal: AbortSignal) {
    this.element.hidden = true;
    signal.addEventListener("abort", () => clearTimeout(this.timer));
  }

  /** Stays until it is set to nothing. */
  keep(text: string): void {
    this.lasting = text;
    this.show(text);
  }

  /** Goes away by itself. */
  flash(text: string): void {
    this.show(text);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.show(this.lasting), 2500);
  }

  private show(text: string): void {
    this.element.textContent = text;
    this.element.hidden = text === "";
  }
}
