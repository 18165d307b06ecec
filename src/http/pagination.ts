import { z } from 'zod';
import { AppError } from '../errors.js';

export const maxPageItems = 200;
const defaultPageItems = 50;

/** Query of every list; extend it with the list's own filters. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(maxPageItems).default(defaultPageItems).describe('Most items of the page.'),
  cursor: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,1024}$/, 'must be `nextCursor` of the page before, as it is')
    .optional()
    .describe('`nextCursor` of the page before.'),
});
export type PageQuery = z.infer<typeof PageQuery>;

export interface Page<T> {
  items: T[];
  /** null on the last page. */
  nextCursor: string | null;
}

/** Schema of a page of items; `id` names it in the OpenAPI document. */
export function PageOf<T extends z.ZodType>(id: string, item: T) {
  return z
    .object({ items: z.array(item), nextCursor: z.string().nullable().describe('null on the last page.') })
    .meta({ id });
}

/** Where a page begins, in values that the list orders by. Opaque to clients, who must not learn to build one. */
export function encodeCursor(position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/**
 * The position in a cursor, checked against the list's own schema because clients can send anything.
 * @throws AppError invalid_request
 */
export function decodeCursor<T>(cursor: string | undefined, schema: z.ZodType<T>): T | undefined {
  if (cursor === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch {
    throw new AppError('invalid_request', 'The cursor is not one of this list; use nextCursor as it is.', {
      pointer: '?cursor',
    });
  }
}

/**
 * Makes a page of rows that were read with `limit + 1`: the one too many says that there is another page.
 * @param position of a row, as the list's `decodeCursor` expects it
 */
export function pageOf<T>(rows: readonly T[], limit: number, position: (row: T) => (string | number)[]): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(position(last)) : null };
}
