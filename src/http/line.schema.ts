import { z } from 'zod';

/**
 * No control characters: PostgreSQL stores no NUL, and nobody means any other. Ranges instead of `\p{Cc}`, which the programs
 * that read the OpenAPI document in other languages do not know.
 */
// eslint-disable-next-line no-control-regex -- they are what is refused
const linePattern = /^[^\u0000-\u001f\u007f-\u009f]*$/;

/** Text of one line. @param text may change it first */
export function lineOf(text: z.ZodString): z.ZodString {
  return text.regex(linePattern, 'must have no control characters');
}
