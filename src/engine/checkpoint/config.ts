import { EngineError } from '../errors.js';
import {
  decodeJsonText,
  JsonError,
  type JsonObject,
  JsonScanner,
  type JsonValue,
  pointerToken,
} from './json-scanner.js';

export const configFileName = 'config.json';
/** Label names of classifiers make the largest published ones about 1 MB. */
export const maxConfigBytes = 8 * 2 ** 20;
const maxConfigDepth = 64;

export interface ConfigFile {
  config: JsonObject;
  /** By JSON pointer, how numbers were written that JavaScript writes otherwise: `30.0`, `1e-05`. */
  numberSpellings: Map<string, string>;
}

/**
 * Reads config.json: one object, no key twice. NaN and Infinity are taken, because Python writes them.
 * @throws EngineError config_too_large, config_invalid
 */
export function parseConfig(bytes: Uint8Array): ConfigFile {
  if (bytes.byteLength > maxConfigBytes) {
    throw new EngineError('config_too_large', `config.json of ${bytes.byteLength} bytes (at most ${maxConfigBytes})`);
  }
  const numberSpellings = new Map<string, string>();
  try {
    const scanner = new JsonScanner(decodeJsonText(bytes));
    const config = scanner.value(maxConfigDepth, numberSpellings);
    scanner.end();
    if (isObject(config)) return { config, numberSpellings };
  } catch (error) {
    if (error instanceof JsonError) throw new EngineError('config_invalid', `config.json: ${error.message}`);
    throw error;
  }
  throw new EngineError('config_invalid', 'config.json: must be an object');
}

/**
 * config.json's text, indented by two as transformers writes it. A number that is still what it was where it was keeps
 * its spelling: `30.0` written as `30` is an integer, and transformers 5 does not load a model with an integer where it
 * declares a float (Gemma 2's `final_logit_softcapping`). Infinity, which JSON lacks and Python reads, stays Infinity.
 */
export function formatConfig(config: JsonObject, numberSpellings: ReadonlyMap<string, string> = new Map()): string {
  return `${formatValue(config, numberSpellings, '', '\n')}\n`;
}

function formatValue(
  value: JsonValue,
  spellings: ReadonlyMap<string, string>,
  pointer: string,
  newline: string,
): string {
  if (typeof value === 'number') return formatNumber(value, spellings, pointer);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${newline}  `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const parts = Array.isArray(value)
    ? value.map((item, at) => formatValue(item, spellings, `${pointer}/${at}`, inner))
    : Object.entries(value).map(([key, member]) => {
        return `${JSON.stringify(key)}: ${formatValue(member, spellings, `${pointer}/${pointerToken(key)}`, inner)}`;
      });
  if (parts.length === 0) return `${open}${close}`;
  return `${open}${inner}${parts.join(`,${inner}`)}${newline}${close}`;
}

function formatNumber(value: number, spellings: ReadonlyMap<string, string>, pointer: string): string {
  const spelling = spellings.get(pointer);
  if (spelling !== undefined && Object.is(Number(spelling), value)) return spelling;
  // A list's items moved when layers were repeated or dropped: they are what its first item was.
  const first = spellings.get(pointer.replace(/\/\d+$/, '/0')) ?? spelling;
  return Number.isSafeInteger(value) && first?.includes('.') ? `${value}.0` : String(value);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
