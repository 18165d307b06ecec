import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import { Sealer, SealingUnavailable } from '../platform/sealing.js';

/** What a token is kept with: a job until that has ended, a rule or a trigger until it is deleted. */
export type TokenHolder = `${'import' | 'merge' | 'publication' | 'rule' | 'trigger'} ${string}`;

/** Tokens of the Hub that came with requests and are needed later. They are sealed for their holder, and never shown. */
@Injectable()
export class KeptTokens {
  constructor(private readonly sealer: Sealer) {}

  /** null without a token: most models are for everybody. @throws AppError secrets_unavailable */
  seal(holder: TokenHolder, token: string | undefined): string | null {
    if (token === undefined) return null;
    try {
      return this.sealer.seal(token, holder);
    } catch (error) {
      if (!(error instanceof SealingUnavailable)) throw error;
      throw new AppError('secrets_unavailable', error.message);
    }
  }

  /** Undefined when none is kept. @throws AppError hub_token_missing when this process cannot read the one that is */
  open(holder: TokenHolder, sealed: string | null): string | undefined {
    const token = this.find(holder, sealed);
    if (sealed === null || token !== undefined) return token;
    throw tokenMissing('The token that is kept with this cannot be read: send it again as Hub-Token.');
  }

  /** Undefined when none is kept, or none that this process can read. */
  find(holder: TokenHolder, sealed: string | null): string | undefined {
    return sealed === null ? undefined : this.sealer.open(sealed, holder);
  }
}

/** For what nobody may do without a token. @throws AppError hub_token_missing */
export function requireToken(token: string | undefined): string {
  if (token !== undefined) return token;
  throw tokenMissing('Publishing needs a token of the Hub that may write: send it as Hub-Token.');
}

function tokenMissing(detail: string): AppError {
  return new AppError('hub_token_missing', detail, { pointer: 'Hub-Token' });
}
