import { formatBytes, formatSeconds } from './format.js';
import { RateMeter } from './rate-meter.js';

export interface Progress {
  update(bytes: number, total: number): void;
  /** A line of its own, above the bar where there is one. */
  note(line: string): void;
  stop(): void;
}

export interface ProgressOptions {
  /** What goes on, for the line: `Merging`. */
  verb: string;
  quiet?: boolean;
  stream?: NodeJS.WriteStream;
}

const LINE_SECONDS = 1;

/** A bar on a terminal, at most one line a second into a pipe or a log, nothing when quiet. */
export async function openProgress(options: ProgressOptions): Promise<Progress> {
  const stream = options.stream ?? process.stderr;
  if (options.quiet === true) return { update: () => undefined, note: () => undefined, stop: () => undefined };
  return stream.isTTY ? openBar(options.verb, stream) : openLines(options.verb, stream);
}

async function openBar(verb: string, stream: NodeJS.WriteStream): Promise<Progress> {
  // Loaded only where somebody watches.
  const { default: cliProgress } = await import('cli-progress');
  const meter = new RateMeter();
  const bar = new cliProgress.SingleBar({
    stream,
    format: `${verb} {bar} {percentage}%  {state}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    fps: 10,
    gracefulExit: false,
    emptyOnZero: true,
  });
  let isStarted = false;
  return {
    update(bytes, total) {
      meter.add(performance.now() / 1000, bytes);
      const payload = { state: describe(bytes, total, meter) };
      if (isStarted) bar.update(bytes, payload);
      else bar.start(total, bytes, payload);
      isStarted = true;
    },
    note(line) {
      // The bar's line is cleared and drawn again by its next update.
      stream.write(`\r\u001b[K${line}\n`);
    },
    stop() {
      if (isStarted) bar.stop();
    },
  };
}

function openLines(verb: string, stream: NodeJS.WriteStream): Promise<Progress> {
  const meter = new RateMeter();
  let nextLine = performance.now() / 1000 + LINE_SECONDS;
  return Promise.resolve({
    update(bytes, total) {
      const now = performance.now() / 1000;
      meter.add(now, bytes);
      if (now < nextLine) return;
      nextLine = now + LINE_SECONDS;
      stream.write(`${verb} ${percent(bytes, total)}  ${describe(bytes, total, meter)}\n`);
    },
    note: (line) => void stream.write(`${line}\n`),
    stop: () => undefined,
  });
}

function percent(bytes: number, total: number): string {
  return `${total === 0 ? 100 : Math.floor((bytes / total) * 100)}%`;
}

function describe(bytes: number, total: number, meter: RateMeter): string {
  const left = meter.findSecondsLeft(total);
  const rate = `${formatBytes(Math.round(meter.bytesPerSecond))}/s`;
  const eta = left === undefined ? '' : `, ${formatSeconds(left)} left`;
  return `${formatBytes(bytes)} of ${formatBytes(total)}, ${rate}${eta}`;
}
