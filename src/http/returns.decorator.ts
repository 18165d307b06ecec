import { applyDecorators, HttpCode, SerializeOptions } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';

/**
 * What a handler answers when all goes well: sets the status, passes the result through the schema (what it does not
 * name is not sent) and documents it.
 */
export function Returns(status: number, schema?: z.ZodType, description = defaultText(status)): MethodDecorator {
  if (!schema) return applyDecorators(HttpCode(status), ApiResponse({ status, description }));
  return applyDecorators(
    HttpCode(status),
    SerializeOptions({ schema }),
    ApiResponse({ status, description, standardSchema: schema }),
  );
}

/** A second success of the same handler, in the same shape. */
export function AlsoReturns(status: number, schema: z.ZodType, description = defaultText(status)): MethodDecorator {
  return ApiResponse({ status, description, standardSchema: schema });
}

function defaultText(status: number): string {
  return { 201: 'Made.', 204: 'Done.' }[status] ?? 'As asked for.';
}
