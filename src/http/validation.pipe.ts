import { type ArgumentMetadata, StandardSchemaValidationPipe } from '@nestjs/common';
import { AppError, type ErrorItem } from '../errors.js';
import { YamlText } from './yaml-text.js';

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  /** Of a zod union: what was wrong with each alternative. */
  readonly errors?: readonly (readonly Issue[])[];
}

/** More reasons help nobody, and a hostile body can have thousands. */
const maxErrors = 50;

/** Checks `@Body({ schema })`, `@Query({ schema })` and `@Param({ schema })`; the first reason becomes the detail. */
export class ValidationPipe extends StandardSchemaValidationPipe {
  override async transform<T = unknown>(value: T, metadata: ArgumentMetadata): Promise<T> {
    const schema = metadata.schema;
    if (!schema) return value;
    this.stripProtoKeys(value);
    // An absent body is validated as what it is: most schemas then say that an object is expected.
    const result = await this.validate(value, schema);
    if (!result.issues) return result.value as T;
    if (value instanceof YamlText)
      throw new AppError('unsupported_media_type', 'This resource takes application/json.');
    const issues = result.issues.flatMap(inAlternative);
    const errors = issues.slice(0, maxErrors).map((issue) => itemOf(issue, metadata.type));
    const first = errors[0];
    const detail = first
      ? `${first.pointer === '' ? 'The body' : first.pointer}: ${first.detail}.`
      : 'The request is not valid.';
    throw new AppError('invalid_request', detail, { errors });
  }
}

/**
 * A body that is YAML or JSON is a union at its root, and "no alternative fits" helps nobody: the one that fits best
 * speaks, which is the one that was understood most deeply, the last (JSON) when none was.
 */
function inAlternative(issue: Issue): readonly Issue[] {
  if (!issue.errors?.length || (issue.path ?? []).length > 0) return [issue];
  const depth = (issues: readonly Issue[]): number => Math.max(0, ...issues.map(({ path }) => path?.length ?? 0));
  return issue.errors.reduce((best, next) => (depth(next) >= depth(best) ? next : best));
}

function itemOf(issue: Issue, type: ArgumentMetadata['type']): ErrorItem {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
  return { pointer: pointerOf(path, type), detail: textOf(issue.message), code: 'invalid' };
}

/** Without zod's preface, which our title says already, and without a full stop, which the detail has. */
function textOf(message: string): string {
  return message.replace(/^Invalid input: /, '').replace(/\.$/, '');
}

function pointerOf(path: readonly string[], type: ArgumentMetadata['type']): string {
  if (type === 'query') return `?${path.join('.')}`;
  if (type === 'param') return `:${path.join('.')}`;
  return path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
