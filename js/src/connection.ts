import type { Model } from "./traits";

interface Signal {
  connect(slot: () => void): void;
  disconnect(slot: () => void): void;
}

interface Kernel {
  readonly status?: string;
  readonly connectionStatus?: string;
  readonly statusChanged?: Signal;
  readonly connectionStatusChanged?: Signal;
}

/** Whether a kernel listens, as far as the page tells: calls back on every change. */
export function watchConnection(
  model: Model,
  changed: (connected: boolean) => void,
  signal: AbortSignal,
): void {
  const manager = model.widget_manager as unknown as { kernel?: Kernel | null } | undefined;
  const kernel = manager?.kernel;
  if (!kernel) return;
  const check = () => {
    const dead = kernel.status === "dead" || kernel.status === "terminating";
    const lost = kernel.connectionStatus !== undefined && kernel.connectionStatus !== "connected";
    changed(!dead && !lost);
  };
  for (const event of [kernel.statusChanged, kernel.connectionStatusChanged]) {
    event?.connect(check);
    signal.addEventListener("abort", () => event?.disconnect(check));
  }
  check();
}
