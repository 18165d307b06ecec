import { z } from 'zod';
import { AppError } from '../errors.js';
import { YamlText } from '../http/yaml-text.js';
import { MergeOptionsQuery, MergeRequest, PlanOptionsQuery, PlanRequest } from './merges.schema.js';

/** JSON, or the recipe itself as YAML. */
export const PlanBody = z.union([z.instanceof(YamlText), PlanRequest]);
export const MergeBody = z.union([z.instanceof(YamlText), MergeRequest]);

/** What was asked for, and where in the request the recipe is. */
interface Asked<T> {
  request: T;
  pointer: string;
}

/** @throws AppError invalid_request when the query of a YAML body is not valid */
export function planRequestOf(body: z.infer<typeof PlanBody>, query: unknown): Asked<PlanRequest> {
  if (!(body instanceof YamlText)) return { request: body, pointer: '/recipe' };
  return { request: { ...options(PlanOptionsQuery, query), recipe: body.text }, pointer: '' };
}

/** @throws AppError invalid_request when the query of a YAML body is not valid */
export function mergeRequestOf(body: z.infer<typeof MergeBody>, query: unknown): Asked<MergeRequest> {
  if (!(body instanceof YamlText)) return { request: body, pointer: '/recipe' };
  return { request: { ...options(MergeOptionsQuery, query), recipe: body.text }, pointer: '' };
}

function options<T>(schema: z.ZodType<T>, query: unknown): T {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => ({
    pointer: `?${path.join('.')}`,
    detail: message,
    code: 'invalid',
  }));
  const [first] = errors;
  throw new AppError('invalid_request', `${first?.pointer ?? ''}: ${first?.detail ?? 'not valid'}`, { errors });
}
