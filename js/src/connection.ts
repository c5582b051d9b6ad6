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

type Connected = Pick<Model, "send" | "widget_manager">;

/**
 * Whether a kernel listens, as far as the page tells: calls back on every change.
 *
 * Python is told that the page is here, now and whenever its connection is back: what Python sent
 * while the page was still loading, or not connected, never arrived.
 */
export function watchConnection(
  model: Connected,
  changed: (connected: boolean) => void,
  signal: AbortSignal,
): void {
  const manager = model.widget_manager as unknown as { kernel?: Kernel | null } | undefined;
  const kernel = manager?.kernel;
  if (!kernel) return;
  let here: boolean | null = null;
  const check = () => {
    const dead = kernel.status === "dead" || kernel.status === "terminating";
    const lost = kernel.connectionStatus !== undefined && kernel.connectionStatus !== "connected";
    const connected = !dead && !lost;
    if (connected === here) return;
    here = connected && tell(model);
    changed(here);
  };
  for (const event of [kernel.statusChanged, kernel.connectionStatusChanged]) {
    event?.connect(check);
    signal.addEventListener("abort", () => event?.disconnect(check));
  }
  check();
}

/** Say that the page is here; false on a page that is being left, whose channel is closed already. */
function tell(model: Connected): boolean {
  try {
    model.send({ type: "here" });
    return true;
  } catch {
    return false;
  }
}
