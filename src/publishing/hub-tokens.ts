import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import { Sealer, SealingUnavailable } from '../platform/sealing.js';

/** The token that came with a request, kept with its publication until that has ended. */
@Injectable()
export class PublicationTokens {
  constructor(private readonly sealer: Sealer) {}

  /** @throws AppError secrets_unavailable */
  seal(publicationId: string, token: string): string {
    try {
      return this.sealer.seal(token, placeOf(publicationId));
    } catch (error) {
      if (!(error instanceof SealingUnavailable)) throw error;
      throw new AppError('secrets_unavailable', error.message);
    }
  }

  /** @throws AppError hub_token_missing, secrets_unavailable */
  open(publicationId: string, sealed: string | null): string {
    const token = sealed === null ? undefined : this.sealer.open(sealed, placeOf(publicationId));
    if (token !== undefined) return token;
    throw new AppError('hub_token_missing', 'No token for the Hub came with this publication: send one as Hub-Token.');
  }
}

function placeOf(publicationId: string): string {
  return `publication ${publicationId} token`;
}
