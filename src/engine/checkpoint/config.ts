import { EngineError } from '../errors.js';
import { decodeJsonText, JsonError, type JsonObject, JsonScanner } from './json-scanner.js';

export const configFileName = 'config.json';
/** Label names of classifiers make the largest published ones about 1 MB. */
export const maxConfigBytes = 8 * 2 ** 20;
const maxConfigDepth = 64;

/**
 * Reads config.json: one object, no key twice. NaN and Infinity are taken, because Python writes them.
 * @throws EngineError config_too_large, config_invalid
 */
export function parseConfig(bytes: Uint8Array): JsonObject {
  if (bytes.byteLength > maxConfigBytes) {
    throw new EngineError('config_too_large', `config.json of ${bytes.byteLength} bytes (at most ${maxConfigBytes})`);
  }
  try {
    const scanner = new JsonScanner(decodeJsonText(bytes));
    const config = scanner.value(maxConfigDepth);
    scanner.end();
    if (isObject(config)) return config;
  } catch (error) {
    if (error instanceof JsonError) throw new EngineError('config_invalid', `config.json: ${error.message}`);
    throw error;
  }
  throw new EngineError('config_invalid', 'config.json: must be an object');
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
