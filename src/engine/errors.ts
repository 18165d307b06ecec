/**
 * What the engine refuses, as stable codes. A code names the remedy: two defects that are repaired in the same way share
 * one. The service maps each to a status and a title; the command line prints the message.
 */
export const engineErrorCodes = [
  // One safetensors file.
  'file_is_lfs_pointer',
  'header_truncated',
  'header_too_large',
  'header_not_utf8',
  'header_not_json',
  'header_duplicate_key',
  'header_number_invalid',
  'header_entry_invalid',
  'header_metadata_invalid',
  'header_dtype_unknown',
  'header_name_invalid',
  'header_shape_invalid',
  'header_offsets_invalid',
  'header_too_many_tensors',
  // The index of a sharded checkpoint.
  'index_too_large',
  'index_not_json',
  'index_duplicate_key',
  'index_invalid',
  'index_shard_name_invalid',
  'index_shard_missing',
  'index_tensor_missing',
  'index_tensor_misplaced',
  'index_tensor_unlisted',
  'index_missing',
  // The folder.
  'pickle_not_supported',
  'weights_missing',
  'weights_ambiguous',
  'config_missing',
  'config_too_large',
  'config_invalid',
  'file_path_invalid',
  'file_missing',
  'file_truncated',
  'too_many_files',
  // The output.
  'output_tensor_invalid',
  'output_exists',
  'output_invalid',
  'output_busy',
  // The plan: recipe and checkpoints do not go together.
  'not_supported_yet',
  'tensor_missing',
  'shape_mismatch',
  'depth_mismatch',
  'layer_range_invalid',
  'base_not_in_slice',
  'parameter_missing',
  'weights_sum_to_zero',
  'coefficients_invalid',
  'dtype_not_supported',
  'quantised_checkpoint',
  'tokenizers_differ',
  // The merge itself.
  'merge_cancelled',
  'plan_outdated',
  'input_changed',
  'buffer_differs',
  'nan_in_result',
  'storage_full',
] as const;

export type EngineErrorCode = (typeof engineErrorCodes)[number];

export interface EngineErrorDetails {
  /** RFC 6901, into the recipe. */
  pointer?: string;
  tensor?: string;
  /** Path inside the checkpoint. */
  file?: string;
}

/** A refusal that the user can act on. Anything else that the engine throws is a defect of the engine or the machine. */
export class EngineError extends Error {
  override readonly name = 'EngineError';

  constructor(
    readonly code: EngineErrorCode,
    message: string,
    readonly details: EngineErrorDetails = {},
  ) {
    super(message);
  }

  /** The same refusal, saying in which file: the parsers see bytes only. */
  inFile(file: string): EngineError {
    if (this.details.file !== undefined) return this;
    return new EngineError(this.code, `${file}: ${this.message}`, { ...this.details, file });
  }
}

/** User-given text inside a message: escaped, and short however long it was. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 97)}...` : text);
}
