import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiClient } from './api-client.js';
import { followEvents, parseEvents, type StreamedEvent } from './event-stream.js';

async function* chunks(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(Buffer.from(part));
}

async function parsed(...parts: string[]): Promise<StreamedEvent[]> {
  const events: StreamedEvent[] = [];
  for await (const event of parseEvents(chunks(...parts))) events.push(event);
  return events;
}

describe('parseEvents', () => {
  it('reads events however they are cut', async () => {
    const text =
      'retry: 2000\n\n: heartbeat\n\nid: 1\nevent: running\ndata: {"a":"é"}\n\nid: 2\r\ndata: 2\r\n\r\nid: 3\n';
    const expected = [
      { id: '1', type: 'running', data: { a: 'é' } },
      { id: '2', type: 'message', data: 2 },
    ];
    expect(await parsed(text)).toEqual(expected);
    expect(await parsed(...text)).toEqual(expected);
    const bytes = Buffer.from(text);
    const events: StreamedEvent[] = [];
    const singly = (async function* () {
      for (const byte of bytes) yield await Promise.resolve(Buffer.from([byte]));
    })();
    for await (const event of parseEvents(singly)) events.push(event);
    expect(events).toEqual(expected);
  });

  it('joins data lines', async () => {
    expect(await parsed('data: [1,\ndata: 2]\n\n')).toEqual([{ id: '', type: 'message', data: [1, 2] }]);
  });
});

describe('followEvents', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.close();
    server?.closeAllConnections();
  });

  async function follow(
    answer: (request: IncomingMessage, response: ServerResponse, turn: number) => void,
  ): Promise<{ ids: string[]; asked: unknown[] }> {
    const asked: unknown[] = [];
    server = createServer((request, response) => {
      asked.push(request.headers['last-event-id']);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      answer(request, response, asked.length);
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const client = new ApiClient(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, undefined);
    const ids: string[] = [];
    const isLast = ({ type }: StreamedEvent): boolean => type === 'succeeded';
    await followEvents(client, '/events', ({ id }) => ids.push(id), isLast, new AbortController().signal);
    return { ids, asked };
  }

  const event = (id: number, type = 'progress'): string => `id: ${id}\nevent: ${type}\ndata: {}\n\n`;

  it('goes on after the last event that it has seen', async () => {
    const { ids, asked } = await follow((_request, response, turn) => {
      if (turn === 1) response.write(event(1) + event(2) + 'id: 3\nevent: pro', () => response.destroy());
      else if (turn === 2) response.end(event(3));
      else response.end(event(4, 'succeeded'));
    });
    expect(ids).toEqual(['1', '2', '3', '4']);
    expect(asked).toEqual([undefined, '2', '3']);
  });

  it('ends with the last event', async () => {
    const { ids, asked } = await follow((_request, response) => response.end(event(7, 'succeeded')));
    expect({ ids, asked }).toEqual({ ids: ['7'], asked: [undefined] });
  });
});
