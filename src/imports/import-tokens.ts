import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import { Sealer, SealingUnavailable } from '../platform/sealing.js';

/** The token of the Hub that came with a request, kept encrypted with its import until that has ended. */
@Injectable()
export class ImportTokens {
  constructor(private readonly sealer: Sealer) {}

  /** null without a token: most models are for everybody. @throws AppError secrets_unavailable */
  seal(importId: string, token: string | undefined): string | null {
    if (token === undefined) return null;
    try {
      return this.sealer.seal(token, placeOf(importId));
    } catch (error) {
      if (!(error instanceof SealingUnavailable)) throw error;
      throw new AppError('secrets_unavailable', error.message);
    }
  }

  /** Undefined when there is none. @throws AppError hub_token_missing when this process cannot read it */
  open(importId: string, sealed: string | null): string | undefined {
    if (sealed === null) return undefined;
    const token = this.sealer.open(sealed, placeOf(importId));
    if (token !== undefined) return token;
    throw new AppError('hub_token_missing', 'The token that came with this import cannot be read: send it again.');
  }
}

function placeOf(importId: string): string {
  return `import ${importId}`;
}
