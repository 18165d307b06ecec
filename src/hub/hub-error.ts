import { AppError, type ErrorCode } from '../errors.js';

/** An answer of the Hub that is not what was asked for. Names method and path, never the query, which may be a secret. */
export class HubError extends Error {
  override readonly name = 'HubError';

  constructor(
    /** 0 when there was no answer. */
    readonly status: number,
    /** `X-Error-Code`, such as RepoNotFound. */
    readonly hubCode: string | undefined,
    message: string,
    /** How long the Hub asks to wait. */
    readonly waitSeconds?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Whether the same request may succeed later, without anybody doing anything. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** The Hub's store refuses an address that the Hub gave: it has expired, or is not known there yet. The Hub gives another one. */
export class StoreRefusal extends HubError {
  override get isPassing(): boolean {
    return true;
  }
}

/** What to tell the user: a stable code, and the Hub's own words. */
export function refusalOf(error: HubError): AppError {
  return new AppError(codeOf(error), error.message, { cause: error });
}

function codeOf({ status, hubCode, isPassing }: HubError): ErrorCode {
  if (isPassing) return 'hub_unavailable';
  if (hubCode === 'RevisionNotFound') return 'hub_revision_not_found';
  if (hubCode === 'RepoNotFound' && status === 404) return 'hub_repository_not_found';
  if (status === 401) return 'hub_token_refused';
  if (status === 403) return 'hub_forbidden';
  if (status === 404) return 'hub_repository_not_found';
  return 'hub_refused';
}

/** The same for somebody who only reads `repository`, with what to do about it. */
export function readingRefusal(error: HubError, repository: string, hasToken: boolean): AppError {
  const { status, hubCode } = error;
  const refusal = (code: ErrorCode, detail: string): AppError => new AppError(code, detail, { cause: error });
  if (hubCode === 'GatedRepo') {
    const remedy = hasToken
      ? 'the account of the token that came as Hub-Token has no access yet'
      : 'then send a token of that account as Hub-Token';
    return refusal('hub_gated', `${repository} is gated: ask for access on its page on the Hub; ${remedy}.`);
  }
  if (hubCode === 'RepoNotFound' || (status === 401 && !hasToken)) {
    const remedy = hasToken ? 'the token may not read it' : 'needs a token, sent as Hub-Token';
    return refusal('hub_repository_not_found', `The Hub has no model ${repository}, or it is private and ${remedy}.`);
  }
  if (status === 401) return refusal('hub_token_refused', 'The Hub does not accept the token that came as Hub-Token.');
  if (status === 403) return refusal('hub_forbidden', `The token may not read ${repository}: ${error.message}`);
  return refusalOf(error);
}
