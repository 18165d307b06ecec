import { ApiHeader } from '@nestjs/swagger';
import { AppError } from '../errors.js';

/** What a header can carry; the Hub's own are `hf_` and letters. */
export const tokenPattern = /^[\x21-\x7e]{4,500}$/;

/** Documents the header that brings a token. */
export const HubTokenHeader = ApiHeader({
  name: 'Hub-Token',
  required: false,
  description:
    'Token of the Hub; without it the one that the namespace has. Kept encrypted while it is needed, and never shown.',
  schema: { type: 'string', pattern: tokenPattern.source },
});

/**
 * The token in a request's `Hub-Token` header.
 * @throws AppError malformed_header
 */
export function hubTokenOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && tokenPattern.test(header)) return header;
  throw new AppError('malformed_header', 'Hub-Token is one token, as the Hub gave it.', { pointer: 'Hub-Token' });
}
