import { applyDecorators } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';

/** Visible ASCII. */
export const idempotencyKeyPattern = /^[\x21-\x7e]{1,255}$/;

/** Documents what every POST has: its repetitions are recognised. */
export function Posts(): MethodDecorator {
  return applyDecorators(
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description:
        'Any unique text: the same request with the same key is carried out once and answered alike, for 24 hours.',
      schema: { type: 'string', pattern: idempotencyKeyPattern.source },
    }),
  );
}
