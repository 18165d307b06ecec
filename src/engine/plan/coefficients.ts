import type { Recipe } from '../../recipe/index.js';
import type { Checkpoint, CheckpointTensor } from '../checkpoint/checkpoint.js';
import { isFloatDtype } from '../checkpoint/dtype.js';
import { EngineError, quote } from '../errors.js';
import type { MergeOperation, TensorSlice } from '../methods/method.js';
import type { OutputTensorSources } from './output-tensors.js';

/** Where a coefficients file describes itself: JSON in its `__metadata__` (docs/dam.md). */
const DESCRIPTION = 'amalgam_dam';
const POINTER = '/coefficients';

interface Description {
  /** What the file calls the models, in the order of the recipe's. */
  models: string[];
  /** What becomes of a tensor of which the file has nothing: a refusal, the plain mean, or one model's tensor. */
  absent: string;
}

/** The coefficients that a recipe names, from their headers alone. */
export class Coefficients {
  private constructor(
    private readonly input: number,
    private readonly reference: string,
    private readonly tensors: ReadonlyMap<string, CheckpointTensor>,
    private readonly description: Description,
  ) {}

  /** @throws EngineError coefficients_invalid */
  static find(
    recipe: Recipe,
    inputs: ReadonlyMap<string, number>,
    checkpoint: Checkpoint | undefined,
  ): Coefficients | undefined {
    const { coefficients: reference } = recipe;
    if (reference === undefined || checkpoint === undefined) return undefined;
    const { metadata, tensors } = checkpoint;
    return new Coefficients(
      inputs.get(reference) ?? 0,
      reference,
      tensors,
      descriptionOf(reference, metadata.get(DESCRIPTION)),
    );
  }

  /**
   * Refuses coefficients that the result has no use for: a misspelt name would otherwise change nothing, silently.
   * @throws EngineError coefficients_invalid
   */
  checkNames(outputs: readonly { name: string }[]): void {
    const names = new Set(outputs.map(({ name }) => name));
    for (const key of this.tensors.keys()) {
      const at = key.lastIndexOf('@');
      const [tensor, model] = [key.slice(0, Math.max(0, at)), key.slice(at + 1)];
      if (!this.description.models.includes(model)) {
        this.refuse(
          `has ${quote(key)}, which does not end with @ and one of its models, ${this.description.models.join(', ')}`,
        );
      }
      if (!names.has(tensor)) this.refuse(`has coefficients for ${quote(tensor)}, which is no tensor of the result`);
    }
  }

  /** Gives an operation the coefficients of its inputs. @throws EngineError coefficients_invalid */
  apply(output: OutputTensorSources, operation: MergeOperation): void {
    this.checkModels(output);
    const found = this.description.models.map((model) => this.tensors.get(`${output.name}@${model}`));
    const missing = found.indexOf(undefined);
    if (missing < 0) {
      operation.coefficients = found.map((tensor) => this.sliceOf(tensor, output, operation.shape));
      return;
    }
    const { models, absent } = this.description;
    if (absent === 'refuse' || found.some((tensor) => tensor !== undefined)) {
      this.refuse(`has no ${quote(`${output.name}@${models[missing] ?? ''}`)}`, output);
    }
    if (absent === 'mean') asMean(operation);
    else asOneOf(operation, models.indexOf(absent));
  }

  private checkModels({ slice: { sources }, name }: OutputTensorSources): void {
    const { models } = this.description;
    if (models.length !== sources.length) {
      this.refuse(
        `is for ${models.length} models (${models.join(', ')}), and ${quote(name)} is made of ${sources.length}`,
      );
    }
    const written = sources.map(({ reference }) => lastPart(reference));
    const isShuffled =
      models.some((model, i) => model !== written[i]) && models.every((model) => written.includes(model));
    if (isShuffled) {
      this.refuse(`is for ${models.join(', ')} in this order, and the recipe has ${written.join(', ')}`);
    }
  }

  private sliceOf(
    tensor: CheckpointTensor | undefined,
    output: OutputTensorSources,
    shape: readonly number[],
  ): TensorSlice {
    if (tensor === undefined) throw new TypeError('no coefficients');
    const { name, file, offset, bytes, dtype } = tensor;
    if (!isFloatDtype(dtype)) this.refuse(`has ${quote(name)} as ${dtype}; coefficients are floating point`, output);
    const row = shape.at(-1) ?? 1;
    const allowed = [[], [1], [row], [...shape.slice(0, -2), row]].map(String);
    if (!allowed.includes(String(tensor.shape))) {
      const message = `has ${quote(name)} with shape [${tensor.shape.join(', ')}]: a tensor of shape [${shape.join(', ')}] takes [${row}], a coefficient for each column, or [1], one for all`;
      this.refuse(message, output);
    }
    return { input: this.input, file, offset, bytes, dtype };
  }

  private refuse(what: string, output?: OutputTensorSources): never {
    refuse(this.reference, what, output?.name);
  }
}

function refuse(reference: string, what: string, tensor?: string): never {
  const details = { pointer: POINTER, ...(tensor !== undefined && { tensor }) };
  throw new EngineError('coefficients_invalid', `${reference} ${what}`, details);
}

function descriptionOf(reference: string, text: string | undefined): Description {
  if (text === undefined) refuse(reference, `is no file of coefficients: its __metadata__ has no ${DESCRIPTION}`);
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch {
    refuse(reference, `has a ${DESCRIPTION} that is not JSON`);
  }
  const { version, models, absent = 'refuse' } = Object(written) as Record<string, unknown>;
  if (version !== 1) refuse(reference, `has a ${DESCRIPTION} of another version than 1`);
  const isName = (value: unknown): value is string => typeof value === 'string' && /^[^@]+$/.test(value);
  if (!Array.isArray(models) || models.length === 0 || !models.every(isName) || new Set(models).size < models.length) {
    refuse(reference, `has a ${DESCRIPTION} whose models are no list of different names without @`);
  }
  if (typeof absent !== 'string' || !['refuse', 'mean', ...models].includes(absent)) {
    refuse(reference, `has a ${DESCRIPTION} whose absent is not refuse, mean or one of its models`);
  }
  return { models, absent };
}

/** What a person calls the model: the last part of a path or name, without a revision. */
function lastPart(reference: string): string {
  return reference.replace(/@[^/]*$/, '').replace(/\/+$/, '').split('/').at(-1) ?? ''; // prettier-ignore
}

function asMean(operation: MergeOperation): void {
  operation.method = 'linear';
  operation.settings = { normalize: true };
  operation.inputSettings = operation.inputs.map(() => ({ weight: 1 }));
}

function asOneOf(operation: MergeOperation, at: number): void {
  operation.method = 'passthrough';
  operation.settings = {};
  operation.inputs = operation.inputs.slice(at, at + 1);
  operation.inputSettings = [{}];
}
