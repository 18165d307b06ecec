import { type ApiClient, ConnectionLost, isLineBroken } from './api-client.js';
import { resuming } from './resuming.js';

export interface StreamedEvent {
  id: string;
  type: string;
  /** Parsed JSON. */
  data: unknown;
}

/** The service sends a comment every 15 s; a line that is silent for longer than this is dead. */
const SILENT_MILLISECONDS = 45_000;

/**
 * Every event of a stream, each once, over as many connections as it takes.
 * @param isLast whether the stream has nothing more to tell after this event
 * @throws ApiProblem, ConnectionLost
 */
export async function followEvents(
  client: ApiClient,
  path: string,
  onEvent: (event: StreamedEvent) => void,
  isLast: (event: StreamedEvent) => boolean,
  signal: AbortSignal,
): Promise<void> {
  let lastId = '';
  let seen = 0;
  let hasEnded = false;
  const connect = async (): Promise<void> => {
    const idle = new Idle(signal);
    try {
      const headers = { accept: 'text/event-stream', ...(lastId !== '' && { 'last-event-id': lastId }) };
      const response = await client.request(path, { headers, signal: idle.signal });
      if (response.status === 204 || response.body === null) return;
      for await (const event of parseEvents(response.body, () => idle.touch())) {
        lastId = event.id || lastId;
        seen++;
        onEvent(event);
        hasEnded ||= isLast(event);
      }
    } catch (error) {
      if (signal.aborted || !isLineBroken(error)) throw error;
      throw new ConnectionLost(client.url, error);
    } finally {
      idle.stop();
    }
    // A stream that ends early was cut by somebody on the way, or by a service that restarts.
    if (!hasEnded) throw new ConnectionLost(client.url, new Error('the event stream ended early'));
  };
  await resuming(connect, { progress: () => seen, signal });
}

/** Reads the text/event-stream format: `id`, `event` and `data` lines, an empty line after each event. */
export async function* parseEvents(
  body: AsyncIterable<Uint8Array>,
  onBytes: () => void = () => undefined,
): AsyncGenerator<StreamedEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    onBytes();
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parseBlock(block);
      if (event !== undefined) yield event;
    }
  }
}

function parseBlock(block: string): StreamedEvent | undefined {
  const fields: Record<string, string> = { id: '', event: 'message' };
  for (const line of block.split(/\r?\n/)) {
    const [, name = '', value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (name === 'data' && fields['data'] !== undefined) fields['data'] += `\n${value}`;
    else if (name !== '') fields[name] = value;
  }
  const { id = '', event = '', data } = fields as { id?: string; event?: string; data?: string };
  return data === undefined ? undefined : { id, type: event, data: JSON.parse(data) as unknown };
}

class Idle {
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  readonly signal: AbortSignal;

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.controller.signal]);
    this.touch();
  }

  touch(): void {
    this.stop();
    this.timer = setTimeout(() => this.controller.abort(), SILENT_MILLISECONDS);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
