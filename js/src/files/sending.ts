/** Files on their way to the kernel, part by part, each after the one before was received. */

export const PART = 512 * 1024;

export interface Sendable {
  readonly name: string;
  readonly size: number;
  slice(start: number, end: number): Blob;
}

export interface Channel {
  send(content: unknown, buffers?: ArrayBuffer[]): void;
}

export class Sending {
  private file = 0;
  private start = 0;
  private sent = 0;
  private stopped = false;
  readonly total: number;

  constructor(
    private readonly files: readonly Sendable[],
    private readonly channel: Channel,
    private readonly progress: (share: number) => void,
  ) {
    this.total = files.reduce((sum, file) => sum + file.size, 0);
    const told = files.map(({ name, size }) => ({ name, size }));
    channel.send({ type: "begin", files: told });
  }

  /** The kernel has what was sent: send the next part, if there is one. */
  async received(): Promise<boolean> {
    while (this.file < this.files.length && this.start >= this.files[this.file]!.size) {
      this.file += 1;
      this.start = 0;
    }
    this.progress(this.total ? this.sent / this.total : 1);
    const file = this.files[this.file];
    if (file === undefined || this.stopped) return false;
    const [number, start] = [this.file, this.start];
    const end = Math.min(start + PART, file.size);
    const data = await file.slice(start, end).arrayBuffer();
    if (this.stopped) return false;
    this.start = end;
    this.sent += end - start;
    this.channel.send({ type: "part", file: number, start }, [data]);
    return true;
  }

  stop(): void {
    this.stopped = true;
    this.channel.send({ type: "cancel" });
  }
}
