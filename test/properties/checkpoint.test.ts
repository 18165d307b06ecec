import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { inspect } from '../../src/engine/checkpoint/checkpoint.js';
import { formatConfig, parseConfig } from '../../src/engine/checkpoint/config.js';
import { type Dtype, dtypeBits, dtypes } from '../../src/engine/checkpoint/dtype.js';
import { parseHeader, type TensorEntry } from '../../src/engine/checkpoint/header.js';
import { decodeJsonText, JsonError, JsonScanner, type JsonValue } from '../../src/engine/checkpoint/json-scanner.js';
import { type OutputTensor, shardFiles } from '../../src/engine/checkpoint/layout.js';
import { parseIndex } from '../../src/engine/checkpoint/shard-index.js';
import { EngineError } from '../../src/engine/errors.js';
import { type Folder, memoryFiles, rawSafetensors, text, zeroCheckpoint } from '../support/checkpoint-bytes.js';

const name = fc
  .oneof(
    fc.constantFrom('__proto__', 'constructor', 'model.layers.0.mlp.up_proj.weight', 'a"b\\', '\n', '😀', ' '),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
  )
  .filter((value) => value !== '' && value !== '__metadata__' && !value.includes('\0'));

const tensor: fc.Arbitrary<OutputTensor> = fc
  .record({
    name,
    dtype: fc.constantFrom(...dtypes),
    shape: fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 5 }),
  })
  // Whole bytes for the packed types too.
  .map((one) => (dtypeBits(one.dtype) < 8 ? { ...one, shape: [...one.shape, 4] } : one));

const tensors = fc.uniqueArray(tensor, { selector: (one) => one.name, maxLength: 12 });

describe('what is written is read', () => {
  test('in one file or in shards', async () => {
    await fc.assert(
      fc.asyncProperty(tensors, fc.integer({ min: 1, max: 2000 }), async (list, shardBytes) => {
        const shards = shardFiles(list, shardBytes);
        const checkpoint = await inspect(memoryFiles(zeroCheckpoint(list, shardBytes)));
        expect(checkpoint.shards).toEqual(shards.map((shard) => shard.name));
        expect([...checkpoint.tensors.values()]).toEqual(
          shards.flatMap((shard) => shard.tensors.map((placed) => ({ ...placed, file: shard.name }))),
        );
        expect(checkpoint.warnings).toEqual([]);
        // What was read and is written again is the same bytes.
        for (const shard of shards) {
          expect(shardFiles(parseHeader(shard.header, shard.bytes).tensors, 2 ** 40)[0]?.header).toEqual(shard.header);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('no shard of several tensors is above the limit, and none could have taken the next tensor', () => {
    fc.assert(
      fc.property(tensors, fc.integer({ min: 1, max: 2000 }), (list, shardBytes) => {
        const sums = shardFiles(list, shardBytes).map(({ tensors: placed }) => ({
          sum: placed.reduce((sum, { bytes }) => sum + bytes, 0),
          nonEmpty: placed.filter(({ bytes }) => bytes > 0).length,
        }));
        for (const { sum, nonEmpty } of sums) expect(sum <= shardBytes || nonEmpty <= 1).toBe(true);
      }),
    );
  });

  test('config.json, letter for letter, as Python writes it', () => {
    const number = fc.oneof(
      fc.integer().map(String),
      fc.integer().map((value) => `${value}.0`),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value.toExponential().replace('e+', 'e')),
      fc.constantFrom('1e-05', 'Infinity', '-Infinity', 'NaN', '9007199254740993'),
    );
    fc.assert(
      fc.property(fc.dictionary(name, number, { noNullPrototype: true }), (numbers) => {
        const entries = Object.entries(numbers).filter(([key]) => key !== '__proto__' && !/^\d+$/.test(key));
        const lines = entries.map(([key, value]) => `  ${JSON.stringify(key)}: ${value}`);
        const written = lines.length === 0 ? '{}\n' : `{\n${lines.join(',\n')}\n}\n`;
        const { config, numberSpellings } = parseConfig(text(written));
        expect(formatConfig(config, numberSpellings)).toBe(written);
      }),
    );
  });
});

/** Letters that matter in the grammar, to be put anywhere. */
const splice = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.integer({ min: 0, max: 4 }),
  insert: fc.constantFrom(
    '',
    '"',
    '\\',
    '\\u0061',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '-',
    '0',
    '1',
    '.',
    'e',
    ' ',
    '\t',
    '\f',
    '\n',
    'null',
    '\ufeff',
    '\ud800',
    '"a":1,',
    '\0',
  ),
});

function mutate(input: string, splices: readonly { at: number; remove: number; insert: string }[]): string {
  let output = input;
  for (const { at, remove, insert } of splices) {
    const position = Math.floor(at * output.length);
    output = output.slice(0, position) + insert + output.slice(position + remove);
  }
  return output;
}

function accepted<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof EngineError || error instanceof JsonError) return undefined;
    throw error;
  }
}

/** The rules once more, on what JSON.parse makes of the text: slow and plain. Throws where they are broken. */
function naiveHeader(
  json: string,
  dataBytes: number,
): Map<string, { dtype: string; shape: number[]; offsets: number[] }> {
  const found = new Map<string, { dtype: string; shape: number[]; offsets: number[] }>();
  for (const [key, entry] of Object.entries(JSON.parse(json) as Record<string, Record<string, unknown>>)) {
    if (key === '__metadata__') {
      if (!Object.values(entry).every((value) => typeof value === 'string')) throw new Error('metadata');
      continue;
    }
    if (Object.keys(entry).sort().join() !== 'data_offsets,dtype,shape') throw new Error('keys');
    const { dtype, shape, data_offsets: offsets } = entry as { dtype: string; shape: number[]; data_offsets: number[] };
    if (![...shape, ...offsets].every((value) => Number.isSafeInteger(value) && value >= 0)) throw new Error('numbers');
    if (offsets.length !== 2 || shape.length > 8) throw new Error('lengths');
    const bits = shape.reduce((product, size) => product * size, dtypeBits(dtype as Dtype));
    if (bits !== ((offsets[1] ?? 0) - (offsets[0] ?? 0)) * 8) throw new Error('size');
    found.set(key, { dtype, shape, offsets });
  }
  checkCoverage(
    [...found.values()].map(({ offsets }) => offsets),
    dataBytes,
  );
  return found;
}

function checkCoverage(ranges: readonly number[][], dataBytes: number): void {
  const covered = new Uint8Array(dataBytes);
  for (const [begin = 0, end = 0] of ranges) {
    for (let at = begin; at < end; at++) covered[at] = (covered[at] ?? NaN) + 1;
  }
  if (!covered.every((times) => times === 1)) throw new Error('coverage');
}

function plain(list: readonly TensorEntry[]) {
  return new Map(list.map(({ name: key, dtype, shape, begin, end }) => [key, { dtype, shape, offsets: [begin, end] }]));
}

describe('a header is never read otherwise than JSON.parse and the rules would', () => {
  test('valid, or with letters changed', () => {
    let kept = 0;
    fc.assert(
      fc.property(tensors, fc.array(splice, { maxLength: 2 }), (list, splices) => {
        const [shard] = shardFiles(list, 2 ** 40);
        if (!shard) throw new Error('no shard');
        const json = mutate(Buffer.from(shard.header).subarray(8).toString(), splices);
        const dataBytes = shard.bytes - shard.header.byteLength;
        const bytes = rawSafetensors(json, dataBytes);
        const header = accepted(() => parseHeader(bytes, bytes.byteLength));
        if (splices.length === 0) expect(header).toBeDefined();
        if (!header) return;
        kept++;
        expect(plain(header.tensors)).toEqual(naiveHeader(json, dataBytes));
      }),
      { numRuns: 3000 },
    );
    // Were everything refused, nothing would have been compared.
    expect(kept).toBeGreaterThan(500);
  });
});

describe('a value is what JSON.parse makes of it, or refused', () => {
  const read = (json: string): JsonValue => {
    const scanner = new JsonScanner(decodeJsonText(text(json)));
    const value = scanner.value(64);
    scanner.end();
    return value;
  };
  const jsonText = fc.jsonValue({ maxDepth: 5 }).map((value) => JSON.stringify(value));

  test('valid', () => {
    fc.assert(
      fc.property(jsonText, (json) => {
        fc.pre(!json.includes('__proto__'));
        expect(read(json)).toEqual(JSON.parse(json));
      }),
      { numRuns: 1000 },
    );
  });

  test('with letters changed', () => {
    fc.assert(
      fc.property(jsonText, fc.array(splice, { minLength: 1, maxLength: 3 }), (json, splices) => {
        const changed = mutate(json, splices);
        // As bytes, because that is how a file comes: half a surrogate pair is no UTF-8 and becomes U+FFFD here.
        const asRead = Buffer.from(changed).toString();
        const value = accepted(() => read(changed));
        if (value !== undefined) expect(value).toEqual(JSON.parse(asRead));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('bytes changed anywhere never do worse than a refusal', () => {
  const change = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), value: fc.integer({ min: 1, max: 64 }) }),
    fc.record({ kind: fc.constant('double' as const), at: fc.nat(), value: fc.integer({ min: 1, max: 64 }) }),
    fc.record({ kind: fc.constant('end' as const), at: fc.nat(), value: fc.constant(0) }),
  );

  function damage(bytes: Uint8Array, { kind, at, value }: { kind: string; at: number; value: number }): Uint8Array {
    const from = at % (bytes.byteLength + 1);
    if (kind === 'end') return bytes.subarray(0, from);
    if (kind === 'cut') return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + value)]);
    if (kind === 'double') return Buffer.concat([bytes.subarray(0, from + value), bytes.subarray(from)]);
    const copy = Buffer.from(bytes);
    copy[from] = value;
    return copy;
  }

  test('in a header, an index or config.json', async () => {
    await fc.assert(
      fc.asyncProperty(
        tensors,
        fc.integer({ min: 1, max: 200 }),
        fc.nat(),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        async (list, shardBytes, which, changes) => {
          const folder: Folder = {
            ...zeroCheckpoint(list, shardBytes),
            'config.json': text('{"model_type":"llama","a":[1.0]}'),
          };
          const paths = Object.keys(folder);
          const path = paths[which % paths.length] ?? '';
          folder[path] = changes.reduce(damage, folder[path] ?? new Uint8Array(0));
          const outcome: unknown = await inspect(memoryFiles(folder)).then(
            () => undefined,
            (error: unknown) => error,
          );
          if (outcome !== undefined) expect(outcome).toBeInstanceOf(EngineError);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('random bytes are no header, no index and no config', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        accepted(() => parseHeader(bytes, bytes.byteLength));
        accepted(() => parseIndex(bytes));
        accepted(() => parseConfig(bytes));
      }),
      { numRuns: 2000 },
    );
  });
});
