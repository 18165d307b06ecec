import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { applyDecorators, StreamableFile } from '@nestjs/common';
import { ApiHeader, ApiProduces } from '@nestjs/swagger';
import { z } from 'zod';
import { AppError } from '../errors.js';

interface ServerSentEvent {
  /** Position in the stream; comes back as Last-Event-ID. */
  id: number;
  /** Name that `addEventListener` takes. */
  type: string;
  data: unknown;
}

/** Below the idle time-outs of proxies (60 s) and of our own server. */
const heartbeatMs = 15_000;
/** What a browser waits before it connects again. */
const retryMs = 2_000;

/**
 * Answers with a stream of events that ends when `source` ends, which it does after the terminal event. `source` gets
 * the signal that the client has gone or the server stops; a comment every 15 s keeps proxies from closing the line.
 */
function eventStream(
  reply: FastifyReply,
  source: (signal: AbortSignal) => AsyncIterable<ServerSentEvent>,
): StreamableFile {
  void reply.headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  const abort = new AbortController();
  reply.raw.once('close', () => abort.abort());
  const lines = new Readable({
    read: () => undefined,
    destroy: (error, done) => {
      clearInterval(heartbeat);
      abort.abort();
      done(error);
    },
  });
  lines.push(`retry: ${retryMs}\n\n`);
  const heartbeat = setInterval(() => lines.push(': heartbeat\n\n'), heartbeatMs);
  heartbeat.unref();
  void pump(source(abort.signal), lines, abort.signal);
  return new StreamableFile(lines, { type: 'text/event-stream; charset=utf-8' });
}

const maxEventId = 999_999_999;

/** Query of a GET of a job's events. */
export const EventsQuery = z.object({
  after: z.coerce.number().int().min(0).max(maxEventId).optional().describe('Only events after this one.'),
  limit: z.coerce.number().int().min(1).max(500).default(500).describe('Most events of the list.'),
});
export type EventsQuery = z.infer<typeof EventsQuery>;

const eventIdPattern = /^\d{0,9}$/;

/** Documents what `followOrList` answers with, and where a stream goes on. */
export const Follows = applyDecorators(
  ApiProduces('application/json', 'text/event-stream'),
  ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'The last event that the client has seen.',
    schema: { type: 'string', pattern: eventIdPattern.source },
  }),
);

/** One event of a job, as lists and streams show it. */
interface JobEvent {
  seq: number;
  type: string;
}

/** A job whose events are asked for. */
interface FollowedJob<Event extends JobEvent> {
  hasEnded: boolean;
  /** Number of its latest event. */
  lastEvent: number;
  list: (after: number, limit: number | undefined) => Promise<Event[]>;
  follow: (after: number, signal: AbortSignal) => AsyncIterable<Event>;
}

/**
 * Answers a GET of a job's events: with the list of those that have happened or, where the client accepts events, with a
 * stream of them until the job has ended.
 * @returns nothing, as 204, once it has ended and the client knows everything
 * @throws AppError malformed_header
 */
export async function followOrList<Event extends JobEvent>(
  request: FastifyRequest,
  reply: FastifyReply,
  query: EventsQuery,
  job: FollowedJob<Event>,
): Promise<{ items: Event[] } | StreamableFile | undefined> {
  if (!acceptsEvents(request)) return { items: await job.list(query.after ?? 0, query.limit) };
  const after = lastEventId(request, query.after);
  if (job.hasEnded && after >= job.lastEvent) {
    // What tells an EventSource to stop asking.
    void reply.status(204);
    return undefined;
  }
  return eventStream(reply, (signal) => toServerSent(job.follow(after, signal)));
}

async function* toServerSent(events: AsyncIterable<JobEvent>): AsyncGenerator<ServerSentEvent> {
  for await (const event of events) yield { id: event.seq, type: event.type, data: event };
}

/**
 * The last event that the client has seen, from Last-Event-ID or `?after=`; 0 for the beginning.
 * @throws AppError malformed_header
 */
function lastEventId(request: FastifyRequest, after: number | undefined): number {
  const header = request.headers['last-event-id'];
  if (header === undefined || header === '') return after ?? 0;
  if (typeof header === 'string' && eventIdPattern.test(header)) return Number(header);
  throw new AppError('malformed_header', 'Last-Event-ID must be the id of an event.', { pointer: 'Last-Event-ID' });
}

/** Whether the client asks for a stream rather than for a list. */
function acceptsEvents(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').toLowerCase().includes('text/event-stream');
}

async function pump(events: AsyncIterable<ServerSentEvent>, lines: Readable, signal: AbortSignal): Promise<void> {
  try {
    for await (const event of events) {
      if (signal.aborted) break;
      lines.push(format(event));
    }
    lines.push(null);
  } catch (error) {
    // The status has been sent: a broken line makes the client come back with Last-Event-ID.
    lines.destroy(signal.aborted ? undefined : (error as Error));
  }
}

/** JSON has no line breaks, so one `data` line is enough. */
function format({ id, type, data }: ServerSentEvent): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
