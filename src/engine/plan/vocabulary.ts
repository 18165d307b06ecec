import { isRecord } from '../architecture/json-record.js';
import { sha256Hex } from './canonical-json.js';
import type { PlanModel } from './plan-model.js';

const TOKENIZER = 'tokenizer.json';

/** The largest published ones have 35 MB. */
const mostBytes = 128 * 1024 * 1024;

/**
 * A digest of which token has which row, by the model's tokenizer.json: whatever its layout is, and however it cuts or pads
 * text. undefined without such a file, or where it cannot be read.
 */
export async function vocabularyOf(model: PlanModel | undefined): Promise<string | undefined> {
  const file = model?.checkpoint.files.find(({ path }) => path === TOKENIZER);
  if (model === undefined || file === undefined || file.bytes > mostBytes) return undefined;
  const text = Buffer.from(await model.files.read(TOKENIZER, 0, file.bytes)).toString('utf8');
  const rows = rowsOf(parsed(text));
  return rows && sha256Hex(JSON.stringify([...rows].sort(([one, a], [two, b]) => a - b || (one < two ? -1 : 1))));
}

function rowsOf(tokenizer: unknown): Map<string, number> | undefined {
  const { model, added_tokens: added = [] } = record(tokenizer);
  const { vocab } = record(model);
  const rows = new Map<string, number>();
  // Unigram models list [token, score]; a token's row is its place.
  const tokens: [unknown, unknown][] = Array.isArray(vocab)
    ? vocab.map((entry: unknown, row) => [Array.isArray(entry) ? entry[0] : undefined, row])
    : Object.entries(record(vocab));
  const own = Array.isArray(added) ? added.map(record) : [];
  for (const { content, id } of own) tokens.push([content, id]);
  for (const [token, row] of tokens) {
    if (typeof token !== 'string' || typeof row !== 'number') return undefined;
    rows.set(token, row);
  }
  return rows.size === 0 ? undefined : rows;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}
