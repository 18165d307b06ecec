import {
  type MethodName,
  methods,
  resolveParameter,
  type ParameterScope,
  type Recipe,
  type Scalar,
  tensorRole,
} from '../../recipe/index.js';
import { type Dtype, findDtype, isFloatDtype } from '../checkpoint/dtype.js';
import type { CheckpointTensor } from '../checkpoint/checkpoint.js';
import { EngineError, quote } from '../errors.js';
import { workDtypeOf } from '../execution/codec.js';
import type { CopyOperation } from '../execution/task.js';
import { linearCoefficients } from '../methods/linear.js';
import type { MergeOperation, Settings, TensorSlice } from '../methods/method.js';
import { multislerpWeights } from '../methods/multislerp.js';
import type { Coefficients } from './coefficients.js';
import type { OutputTensorSources } from './output-tensors.js';

export interface PlannedOperation {
  dtype: Dtype;
  shape: number[];
  operation: MergeOperation | CopyOperation;
}

/** What the tensors of a plan have in common. */
export interface OperationContext {
  inputIndex: ReadonlyMap<string, number>;
  seed: number;
  coefficients: Coefficients | undefined;
}

/**
 * What to do for one output tensor: the recipe's parameters for it, the dtype to compute in and to write, and whether it
 * is a merge at all or only a copy of bytes.
 * @throws EngineError shape_mismatch, dtype_not_supported, base_not_in_slice, parameter_missing, weights_sum_to_zero,
 *   coefficients_invalid
 */
export function planOperation(
  recipe: Recipe,
  output: OutputTensorSources,
  { inputIndex, seed, coefficients }: OperationContext,
): PlannedOperation {
  const ordered = baseFirst(output);
  const tensors = ordered.sources.map(({ tensor }) => tensor);
  const shape = commonShape(output);
  const slices = ordered.sources.map(({ source, tensor }) => sliceOf(inputIndex.get(source.reference) ?? 0, tensor));
  const stored = tensors.map(({ dtype }) => dtype);
  if (!stored.every(isFloatDtype)) return copyOfBuffer(output, slices, stored, shape);
  const cast = dtypeNamed(recipe.dtype) ?? promote(stored);
  const dtype = dtypeNamed(recipe.out_dtype) ?? cast;
  const operation: MergeOperation = {
    kind: 'merge',
    method: output.slice.method,
    tensor: output.name,
    seed,
    shape,
    elements: shape.reduce((product, size) => product * size, 1),
    cast,
    work: workDtypeOf(cast),
    inputs: slices,
    hasBase: ordered.hasBase,
    settings: globalSettings(recipe, output),
    ...(methods[output.slice.method].takesDepth && { depth: output.depth }),
    ...(methods[output.slice.method].takesRole && { role: tensorRole(output.name) }),
    inputSettings: ordered.sources.map(({ source, name }, at) =>
      inputSettings(recipe, output, source, name, ordered.hasBase && at === 0),
    ),
  };
  checkWeights(operation, output);
  if (ordered.hasBase && slices.length === 1) asPassthrough(operation);
  if (methods[operation.method].takesCoefficients) coefficients?.apply(output, operation);
  const [source] = operation.inputs;
  const isStoredSo = source?.dtype === cast && cast === dtype;
  return {
    dtype,
    shape,
    operation: isStoredSo && isIdentity(operation) ? { kind: 'copy', source, twins: [] } : operation,
  };
}

/** A base alone has nothing to be merged with: the result is the base. */
function asPassthrough(operation: MergeOperation): void {
  operation.method = 'passthrough';
  operation.hasBase = false;
  operation.settings = {};
  operation.inputSettings = [{}];
}

function baseFirst(output: OutputTensorSources): { sources: OutputTensorSources['sources']; hasBase: boolean } {
  const { base, method, pointer } = output.slice;
  const policy = methods[method].base;
  if (policy === 'ignored' || (base === undefined && policy !== 'required')) {
    return { sources: output.sources, hasBase: false };
  }
  const at = output.sources.findIndex(({ source }) => source.reference === base);
  const found = output.sources[at];
  if (found === undefined) {
    if (policy !== 'required') return { sources: output.sources, hasBase: false };
    const message = `${method} needs the base model ${quote(base ?? '')} among the sources of every slice`;
    throw new EngineError('base_not_in_slice', message, { pointer, tensor: output.name });
  }
  return { sources: [found, ...output.sources.filter((_source, i) => i !== at)], hasBase: true };
}

function commonShape(output: OutputTensorSources): number[] {
  const shapes = output.sources.map(({ tensor }) => tensor.shape);
  const [first = []] = shapes;
  const differs = shapes.some((shape) => shape.length !== first.length || shape.some((size, i) => size !== first[i]));
  if (!differs) return first;
  const list = output.sources
    .map(({ source, tensor }) => `${source.reference} [${tensor.shape.join(', ')}]`)
    .join(', ');
  const message = `${quote(output.name)} has different shapes: ${list}; models with different vocabularies or sizes cannot be merged`;
  throw new EngineError('shape_mismatch', message, { pointer: output.slice.pointer, tensor: output.name });
}

function copyOfBuffer(
  output: OutputTensorSources,
  slices: TensorSlice[],
  stored: readonly Dtype[],
  shape: number[],
): PlannedOperation {
  const [dtype] = stored;
  const [source, ...twins] = slices;
  if (dtype === undefined || source === undefined || stored.some((other) => other !== dtype)) {
    const message = `${quote(output.name)} is stored as ${stored.join(', ')}: such tensors are copied when all models agree, and these do not`;
    throw new EngineError('dtype_not_supported', message, { pointer: output.slice.pointer, tensor: output.name });
  }
  return { dtype, shape, operation: { kind: 'copy', source, twins } };
}

function sliceOf(input: number, tensor: CheckpointTensor): TensorSlice {
  const { file, offset, bytes, dtype } = tensor;
  return { input, file, offset, bytes, dtype };
}

function dtypeNamed(name: string | undefined): Dtype | undefined {
  return name === undefined ? undefined : findDtype(name);
}

/** The common type that PyTorch would promote to: two different 16-bit floats meet in f32. */
function promote(stored: readonly Dtype[]): Dtype {
  const [first = 'F32'] = stored;
  if (stored.every((dtype) => dtype === first)) return first;
  return stored.includes('F64') ? 'F64' : 'F32';
}

function globalSettings(recipe: Recipe, output: OutputTensorSources): Settings {
  const scope = scopeOf(recipe, output);
  const where = { outputTensor: output.name, t: output.t };
  return settingsOf(output.slice.method, 'global', (name, isRequired) => {
    const value = resolveParameter(scope, name, where);
    if (value === undefined && isRequired) {
      const message = `${output.slice.method} needs ${name}, and nothing gives it one for ${quote(output.name)}`;
      const pointer = output.slice.override ? output.slice.pointer : '/parameters';
      throw new EngineError('parameter_missing', message, { pointer, tensor: output.name });
    }
    return value;
  });
}

function inputSettings(
  recipe: Recipe,
  output: OutputTensorSources,
  source: { reference: string; own?: ParameterScope['own'] },
  inputName: string,
  isBase: boolean,
): Settings {
  const scope = { ...scopeOf(recipe, output), ...(source.own && { own: source.own }) };
  const where = { inputTensor: inputName, outputTensor: output.name, t: output.t };
  return settingsOf(output.slice.method, 'model', (name, isRequired) => {
    const value = resolveParameter(scope, name, where);
    if (value === undefined && isRequired && !isBase) {
      const message = `${output.slice.method} needs ${name} for ${source.reference}, and nothing gives it one for ${quote(output.name)}`;
      throw new EngineError('parameter_missing', message, { pointer: output.slice.pointer, tensor: output.name });
    }
    return value;
  });
}

function settingsOf(
  method: MethodName,
  scope: 'model' | 'global',
  resolve: (name: string, isRequired: boolean) => Scalar | undefined,
): Settings {
  const settings: Settings = {};
  for (const [name, definition] of Object.entries(methods[method].parameters)) {
    if (definition.scope !== scope || name === 'int8_mask') continue;
    const value = resolve(name, definition.required === true) ?? definition.default;
    if (value === undefined) continue;
    if (typeof value === 'string') settings[name] = value;
    else settings[name] = definition.type === 'boolean' ? Boolean(value) : Number(value);
  }
  return settings;
}

function scopeOf(recipe: Recipe, output: OutputTensorSources): ParameterScope {
  return {
    ...(output.slice.override && { override: output.slice.override }),
    ...(output.slice.slice && { slice: output.slice.slice }),
    ...(recipe.parameters && { global: recipe.parameters }),
  };
}

function checkWeights(operation: MergeOperation, output: OutputTensorSources): void {
  const weights = { linear: linearCoefficients, multislerp: multislerpWeights }[operation.method as string];
  if (weights === undefined || weights(operation).every(Number.isFinite)) return;
  const message = `the weights sum to zero for ${quote(output.name)}: set normalize: false or other weights`;
  throw new EngineError('weights_sum_to_zero', message, { pointer: output.slice.pointer, tensor: output.name });
}

/** Whether the result is the only input, element by element. */
function isIdentity(operation: MergeOperation): boolean {
  if (operation.inputs.length !== 1) return false;
  if (operation.method === 'passthrough') return (operation.inputSettings[0]?.['scale'] ?? 1) === 1;
  return operation.method === 'linear' && linearCoefficients(operation)[0] === 1;
}
