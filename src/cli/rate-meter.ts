/** Rate over the last few seconds: an average over everything would hide that a disk has become slow. */
export class RateMeter {
  private readonly samples: { seconds: number; bytes: number }[] = [];

  constructor(private readonly windowSeconds = 5) {}

  /** @param seconds any clock that only goes forward */
  add(seconds: number, bytes: number): void {
    this.samples.push({ seconds, bytes });
    // One sample older than the window stays, so that the window is always covered.
    while ((this.samples[1]?.seconds ?? Infinity) <= seconds - this.windowSeconds) this.samples.shift();
  }

  /** Bytes a second; 0 until two moments are known. */
  get bytesPerSecond(): number {
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    if (first === undefined || last === undefined || last.seconds <= first.seconds) return 0;
    return Math.max(0, (last.bytes - first.bytes) / (last.seconds - first.seconds));
  }

  /** Undefined while nothing moves. */
  findSecondsLeft(totalBytes: number): number | undefined {
    const rate = this.bytesPerSecond;
    return rate > 0 ? Math.max(0, totalBytes - (this.samples.at(-1)?.bytes ?? 0)) / rate : undefined;
  }
}
