import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import { Sealer, SealingUnavailable } from '../platform/sealing.js';

/** What a token is kept with: a publication until that has ended, a rule or trigger until it is deleted. */
export type TokenHolder = `publication ${string}` | `rule ${string}` | `trigger ${string}`;

/** Tokens of the Hub that came with requests. They are sealed for their holder, and never shown. */
@Injectable()
export class PublicationTokens {
  constructor(private readonly sealer: Sealer) {}

  /** @throws AppError hub_token_missing, secrets_unavailable */
  seal(holder: TokenHolder, token: string | undefined): string {
    if (token === undefined) throw missing('Publishing needs a token of the Hub that may write: send it as Hub-Token.');
    try {
      return this.sealer.seal(token, holder);
    } catch (error) {
      if (!(error instanceof SealingUnavailable)) throw error;
      throw new AppError('secrets_unavailable', error.message);
    }
  }

  /** @throws AppError hub_token_missing */
  open(holder: TokenHolder, sealed: string | null): string {
    const token = this.find(holder, sealed);
    if (token !== undefined) return token;
    throw missing('No token that can be read is kept with this: send one as Hub-Token when you try again.');
  }

  /** Undefined when there is none, or none that this process can read. */
  find(holder: TokenHolder, sealed: string | null): string | undefined {
    return sealed === null ? undefined : this.sealer.open(sealed, holder);
  }
}

function missing(detail: string): AppError {
  return new AppError('hub_token_missing', detail, { pointer: 'Hub-Token' });
}
