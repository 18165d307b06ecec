import type { ApiClient } from './api-client.js';
import { followEvents, type StreamedEvent } from './event-stream.js';
import { Interrupted } from './failure.js';
import { printable } from './format.js';
import { openProgress, type Progress } from './progress.js';
import { cancelOnSignals } from './signals.js';

const endStates = ['succeeded', 'failed', 'cancelled'];

/** A job of the service that moves bytes from or to the Hub. */
export interface HubJob {
  /** Of the job's resource. */
  path: string;
  /** Of the progress bar. */
  verb: string;
  /** What to tell whoever interrupts the command. */
  goesOn: string;
  quiet: boolean;
}

/** Shows a job's progress until it has ended. @throws Interrupted by a signal; the job goes on */
export async function followHubJob(client: ApiClient, { path, verb, goesOn, quiet }: HubJob): Promise<void> {
  const cancellation = cancelOnSignals();
  const progress = await openProgress({ verb, quiet });
  try {
    await followEvents(client, `${path}/events`, (event) => tell(event, progress), isLast, cancellation.signal);
  } catch (error) {
    if (cancellation.exitCode === undefined) throw error;
    progress.stop();
    process.stderr.write(`no longer watching; ${goesOn}\n`);
    throw new Interrupted(cancellation.exitCode);
  } finally {
    progress.stop();
    cancellation.close();
  }
}

function isLast({ type }: StreamedEvent): boolean {
  return endStates.includes(type);
}

function tell({ type, data: event }: StreamedEvent, progress: Progress): void {
  const { data } = event as { data: Record<string, unknown> };
  const { bytesDone, bytesTotal, detail, seconds, waitSeconds } = data;
  if (type === 'progress' && typeof bytesDone === 'number' && typeof bytesTotal === 'number') {
    progress.update(bytesDone, bytesTotal);
  } else if (type === 'wait' || type === 'attempt-failed') {
    progress.note(`${printable(String(detail))}; again in ${String(seconds ?? waitSeconds)} s`);
  } else if (type !== 'file' && !endStates.includes(type)) progress.note(type);
}
