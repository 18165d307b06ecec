import { applyDecorators } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';

/** Documents what every POST has: its repetitions are recognised. */
export function Posts(): MethodDecorator {
  return applyDecorators(
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description:
        'Any unique text: the same request with the same key is carried out once and answered alike, for 24 hours.',
      schema: { type: 'string', maxLength: 255 },
    }),
  );
}
