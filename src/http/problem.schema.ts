import { z } from 'zod';

/** RFC 9457 with our members. */
export const Problem = z
  .object({
    type: z.string().meta({ example: 'urn:amalgam:problem:model_not_found' }),
    title: z.string().meta({ example: 'There is no such model' }),
    status: z.int().meta({ example: 404 }),
    detail: z.string().meta({ example: 'There is no model samples/nothing.' }),
    instance: z.string().describe('Path of the request.'),
    code: z.string().describe('Stable identifier; programs compare this.').meta({ example: 'model_not_found' }),
    requestId: z.string().describe('Also in the X-Request-Id header and in the log.'),
    errors: z
      .array(
        z.object({
          pointer: z
            .string()
            .describe('RFC 6901 pointer into the body; `?name` is a query parameter, `:name` a part of the path.'),
          detail: z.string(),
          code: z.string(),
          severity: z.enum(['error', 'warning']).optional(),
          line: z.int().optional(),
          column: z.int().optional(),
        }),
      )
      .optional()
      .describe('Every reason that was found.'),
  })
  .loose()
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;
