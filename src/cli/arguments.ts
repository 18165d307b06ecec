import { InvalidArgumentError, Option } from 'commander';
import type { ReportMode } from '../engine/index.js';
import { parseShardSize } from './shard-size.js';

/** Argument parsers of commander: what they refuse is a usage error. */

export function shardSize(text: string): number {
  try {
    return parseShardSize(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^-?\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
  };
}

export function modelName(text: string): string {
  if (/^[^/@\s]+\/[^/@\s]+$/.test(text)) return text;
  throw new InvalidArgumentError('A model of the service is namespace/name.');
}

export function namespaceName(text: string): string {
  if (/^[^/@\s]+$/.test(text)) return text;
  throw new InvalidArgumentError('A namespace is the part of a model’s name before the slash.');
}

/** `namespace/name`, `namespace/name@3` or `namespace/name@alias`. */
export function modelReference(text: string): string {
  if (/^[^/@\s]+\/[^/@\s]+(@[^/@\s]+)?$/.test(text)) return text;
  throw new InvalidArgumentError('A version of the service is namespace/name@version or namespace/name@alias.');
}

export function hubRepository(text: string): string {
  if (/^hf:[^/@\s]+\/[^/@\s]+$/.test(text)) return text;
  throw new InvalidArgumentError('A repository of the Hub is hf:org/name.');
}

/** For flags that may be repeated: -vv. */
export function count(_value: unknown, previous: number): number {
  return previous + 1;
}

/** Written out, because the engine is loaded only by the commands that need it. */
const reportModes = ['none', 'sampled', 'full'] as const satisfies readonly ReportMode[];

export function reportOption(): Option {
  const meaning = 'how much of the weights the merge report looks at (default: sampled, every 64th block)';
  return new Option('--report <mode>', meaning).choices(reportModes);
}

/** What the service makes of it is the service's; this only keeps mistakes of the shell out. */
export function licence(text: string): string {
  if (/^[\w.+:() -]{1,200}$/.test(text)) return text;
  throw new InvalidArgumentError('A licence is a Hub identifier such as apache-2.0, or other:NAME.');
}
