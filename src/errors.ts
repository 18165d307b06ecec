import { engineErrorCodes, type EngineErrorCode } from './engine/index.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface CatalogueEntry {
  /** HTTP status; nothing but http/problem.filter.ts acts on it. */
  status: number;
  /** The same words for every occurrence (RFC 9457). */
  title: string;
  level: LogLevel;
}

const entry = (status: number, title: string, level: LogLevel = 'debug'): CatalogueEntry => ({ status, title, level });

/**
 * Everything that this service refuses, by its stable code. Codes are part of the API: they may be added, never renamed.
 * Two causes share a code when their remedy is the same.
 */
const own = {
  // The request as HTTP.
  invalid_request: entry(400, 'The request is not valid'),
  malformed_body: entry(400, 'The body cannot be parsed'),
  malformed_url: entry(400, 'The URL is not valid'),
  malformed_header: entry(400, 'A header is not valid'),
  not_found: entry(404, 'There is nothing here'),
  method_not_allowed: entry(405, 'This resource does not take that method'),
  not_acceptable: entry(406, 'No representation matches Accept'),
  request_timeout: entry(408, 'The request took too long to arrive'),
  length_required: entry(411, 'Content-Length is missing'),
  precondition_failed: entry(412, 'The resource has changed'),
  body_too_large: entry(413, 'The body is too large'),
  url_too_long: entry(414, 'The URL is too long'),
  unsupported_media_type: entry(415, 'The media type is not supported'),
  range_not_satisfiable: entry(416, 'The range lies outside the file'),
  precondition_required: entry(428, 'A precondition is required'),
  headers_too_large: entry(431, 'The headers are too large'),
  // Who asks.
  unauthenticated: entry(401, 'A valid API key is required', 'info'),
  host_not_allowed: entry(403, 'The host name is not one of this server', 'warn'),
  origin_not_allowed: entry(403, 'Pages of another origin may not use this server', 'warn'),
  // Repeated requests.
  idempotency_key_invalid: entry(400, 'The Idempotency-Key is not valid'),
  idempotency_in_flight: entry(409, 'A request with this Idempotency-Key is being carried out'),
  idempotency_key_reused: entry(422, 'The Idempotency-Key belongs to another request'),
  // The registry.
  model_not_found: entry(404, 'There is no such model'),
  version_not_found: entry(404, 'There is no such version'),
  alias_not_found: entry(404, 'There is no such alias'),
  file_not_found: entry(404, 'There is no such file'),
  upload_not_found: entry(404, 'There is no such upload'),
  model_exists: entry(409, 'A model with this name exists'),
  alias_reserved: entry(409, 'This alias is moved by the registry itself'),
  reference_invalid: entry(422, 'The model reference is not valid'),
  reference_not_supported: entry(422, 'This kind of model reference is not supported here'),
  weights_expired: entry(410, 'The weights of this version are no longer kept'),
  upload_closed: entry(409, 'The upload is closed'),
  upload_incomplete: entry(409, 'The upload is not complete'),
  upload_superseded: entry(409, 'Another request took over this file'),
  upload_offset_mismatch: entry(409, 'The range does not begin where the file ends'),
  upload_too_many_files: entry(422, 'The upload has too many files'),
  chunk_too_small: entry(422, 'The range is too small'),
  file_not_allowed: entry(422, 'Files of this kind are not stored'),
  code_not_allowed: entry(422, 'Files with code are not stored'),
  digest_required: entry(400, 'X-Content-SHA256 is missing'),
  digest_mismatch: entry(422, 'The bytes do not have the announced SHA-256'),
  // Merges.
  merge_not_found: entry(404, 'There is no such merge'),
  merge_finished: entry(409, 'The merge has ended'),
  merge_not_retryable: entry(409, 'Only a failed or cancelled merge can be tried again'),
  merge_twin_running: entry(409, 'The same merge is being carried out'),
  input_not_found: entry(422, 'A model of the recipe does not exist'),
  no_gpu_worker: entry(422, 'No GPU worker is alive'),
  // Publishing.
  publication_not_found: entry(404, 'There is no such publication'),
  publication_not_cancellable: entry(409, 'It is too late to cancel the publication'),
  publication_not_retryable: entry(409, 'Only a failed or cancelled publication can be tried again'),
  publishing_rule_not_found: entry(404, 'There is no such publishing rule'),
  publishing_rule_exists: entry(409, 'There is such a publishing rule'),
  licence_denied: entry(422, 'A licence forbids publishing'),
  licence_approval_required: entry(422, 'Publishing needs an approval'),
  licence_text_missing: entry(422, 'A licence must go along, and its text is missing'),
  name_prefix_required: entry(422, 'A licence asks for another name'),
  hub_token_not_found: entry(404, 'The namespace has no token for the Hub'),
  hub_token_missing: entry(422, 'There is no token for the Hub'),
  hub_token_refused: entry(422, 'The Hub does not accept the token', 'info'),
  hub_forbidden: entry(422, 'The token may not do this on the Hub', 'info'),
  hub_gated: entry(422, 'The Hub wants to be asked for access', 'info'),
  hub_repository_not_found: entry(422, 'The Hub has no such repository', 'info'),
  hub_revision_not_found: entry(422, 'The Hub has no such revision', 'info'),
  hub_tag_taken: entry(422, 'The tag names another commit', 'info'),
  hub_refused: entry(422, 'The Hub refused', 'warn'),
  hub_content_mismatch: entry(422, 'The Hub has other bytes than were sent', 'error'),
  hub_unavailable: entry(503, 'The Hub cannot be reached', 'warn'),
  secrets_unavailable: entry(503, 'The service has no key for secrets', 'error'),
  // Importing.
  import_not_found: entry(404, 'There is no such import'),
  import_finished: entry(409, 'The import has ended'),
  import_not_retryable: entry(409, 'Only a failed or cancelled import can be tried again'),
  s3_source_not_allowed: entry(403, 'This bucket may not be read for this namespace', 'info'),
  s3_source_not_found: entry(422, 'There is nothing at this place', 'info'),
  s3_source_refused: entry(422, 'The server of the bucket refused', 'warn'),
  s3_source_changed: entry(422, 'An object of the bucket is not what it was', 'warn'),
  s3_source_unavailable: entry(503, 'The server of the bucket cannot be reached', 'warn'),
  // Licences.
  licence_invalid: entry(422, 'The licence cannot be read'),
  approval_not_needed: entry(409, 'There is nothing to approve'),
  approval_not_possible: entry(409, 'What a licence forbids cannot be approved'),
  // Triggers.
  trigger_not_found: entry(404, 'There is no such trigger'),
  trigger_exists: entry(409, 'A trigger with this name exists'),
  trigger_disabled: entry(409, 'The trigger is disabled'),
  trigger_loop: entry(422, 'The trigger would feed itself'),
  checkpoint_slot_missing: entry(422, 'The recipe has no place for the checkpoint'),
  // Us.
  internal_error: entry(500, 'Something went wrong on this side', 'error'),
  storage_full: entry(507, 'There is no room left', 'error'),
  deadline_exceeded: entry(503, 'It takes too long', 'warn'),
  unavailable: entry(503, 'The service is not ready', 'warn'),
} as const satisfies Record<string, CatalogueEntry>;

const ofEngine = Object.fromEntries(
  engineErrorCodes.map((code) => [code, entry(422, 'The model cannot be used', 'info')]),
) as Record<EngineErrorCode, CatalogueEntry>;

export const catalogue = { ...ofEngine, ...own };
export type ErrorCode = keyof typeof catalogue;

/** What the recipe layer refuses; its many codes share one entry because a recipe's issues are listed one by one. */
export const recipeEntry = entry(422, 'The recipe cannot be used');

/** One of several reasons. `pointer` is RFC 6901 into the body, or names the parameter or header: `?limit`, `If-Match`. */
export interface ErrorItem {
  pointer: string;
  detail: string;
  code: string;
  /** 1-based; of recipes in YAML. */
  line?: number;
  column?: number;
  severity?: 'error' | 'warning';
}

export interface AppErrorOptions {
  /** Where in the request, when there is one reason only. */
  pointer?: string;
  errors?: readonly ErrorItem[];
  /** Further members of the problem, for programs. */
  extra?: Readonly<Record<string, unknown>>;
  /** Response headers that belong to the refusal, such as `Allow`. */
  headers?: Readonly<Record<string, string>>;
  cause?: unknown;
}

/** A refusal with a stable code and a sentence that a person can act on. */
export class AppError extends Error {
  override readonly name = 'AppError';

  constructor(
    readonly code: ErrorCode,
    detail: string,
    readonly options: AppErrorOptions = {},
  ) {
    super(detail, { cause: options.cause });
  }
}
