import { type ArgumentMetadata, StandardSchemaValidationPipe } from '@nestjs/common';
import { AppError, type ErrorItem } from '../errors.js';

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
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
    const errors = result.issues.slice(0, maxErrors).map((issue) => itemOf(issue, metadata.type));
    const first = errors[0];
    const detail = first ? `${first.pointer === '' ? 'The body' : first.pointer}: ${first.detail}` : 'Not valid.';
    throw new AppError('invalid_request', detail, { errors });
  }
}

function itemOf(issue: Issue, type: ArgumentMetadata['type']): ErrorItem {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
  return { pointer: pointerOf(path, type), detail: issue.message, code: 'invalid' };
}

function pointerOf(path: readonly string[], type: ArgumentMetadata['type']): string {
  if (type === 'query') return `?${path.join('.')}`;
  if (type === 'param') return `:${path.join('.')}`;
  return path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
