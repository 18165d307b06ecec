import { expect, test } from '@jest/globals';
import { createLogger, NestLogger, redact } from './logger.js';

function captured(): { lines: Record<string, unknown>[]; write(text: string): void } {
  const lines: Record<string, unknown>[] = [];
  return { lines, write: (text) => void lines.push(JSON.parse(text) as Record<string, unknown>) };
}

test.each([
  ['{"a":{"b":{"authorization":"Bearer abc.def"}}}', '{"a":{"b":{"authorization":"[redacted]"}}}'],
  ['{"Set-Cookie":"a=\\"b\\""}', '{"Set-Cookie":"[redacted]"}'],
  [
    '{"accessKey":"k","secretKey":"s","hubToken":"t"}',
    '{"accessKey":"[redacted]","secretKey":"[redacted]","hubToken":"[redacted]"}',
  ],
  ['{"x-api-key":"k","password":"p"}', '{"x-api-key":"[redacted]","password":"[redacted]"}'],
  ['"sent Bearer abc123 away"', '"sent Bearer [redacted] away"'],
  ['"postgres://amalgam:hunter2@db:5432/x"', '"postgres://amalgam:[redacted]@db:5432/x"'],
  ['"http://s3/b?X-Amz-Signature=ff00&x=1"', '"http://s3/b?X-Amz-Signature=[redacted]&x=1"'],
  [
    '{"objectKey":"blobs/ab","tokenizerSource":"union","key":"x"}',
    '{"objectKey":"blobs/ab","tokenizerSource":"union","key":"x"}',
  ],
])('redacts %s', (line, expected) => {
  expect(redact(line)).toBe(expected);
});

test('writes JSON lines without secrets, also out of errors', () => {
  const { lines, ...destination } = captured();
  createLogger('info', destination).error({ err: new Error('no postgres://u:pw@h/d') }, 'failed');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ level: 'error', msg: 'failed' });
  expect(JSON.stringify(lines)).not.toContain('pw@');
});

test("keeps Nest's context and stack", () => {
  const { lines, ...destination } = captured();
  const logger = new NestLogger(createLogger('trace', destination));
  logger.log('started', 'NestFactory');
  logger.error('broke', 'Error: broke\n at x', 'Router');
  logger.verbose({ a: 1 });
  expect(lines).toEqual([
    expect.objectContaining({ level: 'info', msg: 'started', context: 'NestFactory' }),
    expect.objectContaining({ level: 'error', msg: 'broke', context: 'Router', stack: 'Error: broke\n at x' }),
    expect.objectContaining({ level: 'trace', msg: '{"a":1}' }),
  ]);
});
