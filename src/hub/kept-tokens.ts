import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import { Sealer, SealingUnavailable } from '../platform/sealing.js';

/** What a token is kept with: a job until that has ended, the others until somebody deletes or replaces it. */
export type TokenHolder = `${'import' | 'merge' | 'publication' | 'rule' | 'trigger' | 'namespace'} ${string}`;

/** Tokens of the Hub that are needed later than they came. They are sealed for their holder, and never shown. */
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
    const detail = `The token that is kept with ${holder} cannot be read: the key of this service is another one. Send it again.`;
    throw new AppError('hub_token_missing', detail, { pointer: 'Hub-Token' });
  }

  /** Undefined when none is kept, or none that this process can read. */
  find(holder: TokenHolder, sealed: string | null): string | undefined {
    return sealed === null ? undefined : this.sealer.open(sealed, holder);
  }
}
