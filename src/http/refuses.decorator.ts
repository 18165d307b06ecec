import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { problemType } from './problem.filter.js';

const meanings: Record<number, string> = {
  404: 'Something that the request names does not exist.',
  409: 'The present state does not allow it; `code` says why.',
  410: 'The weights of the version are no longer kept.',
  412: 'The resource has changed.',
  413: 'Too large.',
  416: 'The range lies outside the file.',
  422: 'Understood, but it cannot be done; `code` and `errors` say why.',
  428: 'A precondition is required.',
  503: 'Not now; try again after `Retry-After`.',
};

/** Documents the refusals that belong to a handler; those that every route can give are added to the document at once. */
export function Refuses(...statuses: number[]): MethodDecorator {
  return applyDecorators(
    ...statuses.map((status) =>
      ApiResponse({
        status,
        description: meanings[status] ?? 'Refused.',
        content: { [problemType]: { schema: { $ref: '#/components/schemas/Problem' } } },
      }),
    ),
  );
}
