import { AppError } from '../errors.js';
import { Closure, compare, type LicenceNode } from './closure.js';
import { parseLicenceId } from './licence-id.js';

const mostCharacters = 16_384;
const mostModels = 256;
const mostGenerations = 64;

/**
 * Reads models joined by `+`, each a licence or a path of licences, oldest first: `llama3>apache-2.0 + mit`.
 * @throws AppError licence_invalid
 */
export function parseLicencePaths(text: string): Closure {
  if (text.length > mostCharacters) throw invalid(`There are more than ${mostCharacters} characters.`);
  if (/\p{Cc}/u.test(text.trim())) throw invalid('There are control characters.');
  const paths = splitModels(text).map((path) => path.split('>').map(parseStep));
  if (paths.length > mostModels) throw invalid(`There are more than ${mostModels} models.`);
  if (paths.some((path) => path.length > mostGenerations)) {
    throw invalid(`A path has more than ${mostGenerations} generations.`);
  }
  return closureOfPaths(paths);
}

/** Chains beside each other: what two paths share is not known to be the same model. */
export function closureOfPaths(paths: readonly (readonly string[])[]): Closure {
  const nodes: LicenceNode[] = [];
  // The same models are the same closure, in whatever order they come.
  for (const path of [...paths].sort((a, b) => compare(a.join('>'), b.join('>')))) {
    for (const [at, licence] of path.entries()) nodes.push({ licence, parents: at === 0 ? [] : [nodes.length - 1] });
  }
  return new Closure(nodes);
}

/** A `+` that follows another or ends a step belongs to the name: `openrail++`. */
function splitModels(text: string): string[] {
  return text
    .replace(/openrail\+\+/gi, 'openrail\0')
    .split('+')
    .map((part) => part.replaceAll('\0', '++'));
}

function parseStep(text: string): string {
  if (text.trim() === '') {
    throw invalid(
      'A licence is missing: models are joined by +, the generations of one by >, as in llama3>mit+llama3.',
    );
  }
  return parseLicenceId(text);
}

function invalid(detail: string): AppError {
  return new AppError('licence_invalid', detail);
}
