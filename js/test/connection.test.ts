import { expect, test, vi } from "vitest";
import { watchConnection } from "../src/connection";

class Signal {
  private readonly slots = new Set<() => void>();
  connect(slot: () => void): void {
    this.slots.add(slot);
  }
  disconnect(slot: () => void): void {
    this.slots.delete(slot);
  }
  emit(): void {
    for (const slot of this.slots) slot();
  }
}

function page(connectionStatus = "connected") {
  const kernel = {
    status: "idle",
    connectionStatus,
    statusChanged: new Signal(),
    connectionStatusChanged: new Signal(),
  };
  const send = vi.fn();
  const model = { widget_manager: { kernel }, send } as unknown as Parameters<
    typeof watchConnection
  >[0];
  const turn = (to: string) => {
    kernel.connectionStatus = to;
    kernel.connectionStatusChanged.emit();
  };
  return { model, send, turn, kernel };
}

test("Python is told that the page is here, and again when the connection is back", () => {
  const { model, send, turn, kernel } = page();
  const told: boolean[] = [];
  const ended = new AbortController();
  watchConnection(model, (connected) => told.push(connected), ended.signal);
  expect(send.mock.calls).toEqual([[{ type: "here" }]]);
  kernel.statusChanged.emit();
  turn("connecting");
  expect(send).toHaveBeenCalledTimes(1);
  turn("connected");
  expect(send).toHaveBeenCalledTimes(2);
  expect(told).toEqual([true, false, true]);
  ended.abort();
  turn("connecting");
  turn("connected");
  expect(send).toHaveBeenCalledTimes(2);
});

test("a page whose kernel is not there yet says nothing", () => {
  const { model, send, turn } = page("connecting");
  watchConnection(model, () => {}, new AbortController().signal);
  expect(send).not.toHaveBeenCalled();
  turn("connected");
  expect(send).toHaveBeenCalledTimes(1);
});

test("a page that is being left, whose channel is closed, is not connected and raises nothing", () => {
  const { model, send, turn } = page();
  const told: boolean[] = [];
  watchConnection(model, (connected) => told.push(connected), new AbortController().signal);
  turn("connecting");
  send.mockImplementation(() => {
    throw new Error("Cannot send");
  });
  turn("connected");
  expect(told).toEqual([true, false, false]);
});
