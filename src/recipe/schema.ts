import { z } from 'zod';
import { methodNames } from './methods/method.js';
import { isParameterWord } from './methods/registry.js';
import { ModelReferenceError, formatModelReference, parseModelReference } from './references.js';
import { readScalar, type Scalar as AnyScalar } from './scalars.js';
import { compilePattern } from './selectors.js';
import { tensorRoles } from './tensor-role.js';

// One schema for the written recipe (its input: JSON Schema, OpenAPI) and for the normalised one (its output: the type).
// Unknown keys never reach it: keys.ts has already judged them.

const WrittenPath = z.union([
  z.string(),
  z.strictObject({ path: z.string().min(1), revision: z.string().min(1).nullish() }),
]);

const WrittenReference = z.union(
  [
    z.string(),
    z.strictObject({ model: WrittenPath, lora: WrittenPath.nullish(), override_architecture: z.string().nullish() }),
  ],
  'must be a string that names a model',
);

/** `path[@revision][+lora[@revision]]`, or MergeKit's mapping form, which becomes that string. */
export const ModelReferenceText = WrittenReference.transform((written, context): string => {
  try {
    return referenceText(written);
  } catch (error) {
    context.addIssue({
      code: 'custom',
      message: (error as Error).message,
      params: { code: 'invalid_model_reference' },
    });
    return z.NEVER;
  }
}).meta({ title: 'Model reference', description: 'path[@revision][+lora[@revision]]' });

function referenceText(written: z.output<typeof WrittenReference>): string {
  if (typeof written === 'string') return formatModelReference(parseModelReference(written));
  const part = (path: z.output<typeof WrittenPath>): string => {
    if (typeof path !== 'string' && /[@+]/.test(path.path + (path.revision ?? ''))) {
      throw new ModelReferenceError(`“${path.path}” has an “@” or “+”, which one line of text cannot express.`);
    }
    if (typeof path === 'string' && path.includes('+')) {
      throw new ModelReferenceError(`“${path}” is already part of a mapping: give the adapter as its lora.`);
    }
    return typeof path === 'string' ? path : path.path + (path.revision ? `@${path.revision}` : '');
  };
  const text = part(written.model) + (written.lora ? `+${part(written.lora)}` : '');
  return formatModelReference(parseModelReference(text));
}

const Scalar = z
  .union([z.number(), z.boolean(), z.string()], 'must be a number, or true or false')
  .transform((written, context): AnyScalar => {
    if (typeof written !== 'string') return written;
    if (isParameterWord(written)) return written;
    const value = readScalar(written);
    if (value !== undefined && Number.isFinite(Number(value))) return value;
    const text = `“${written.slice(0, 60)}”`;
    context.addIssue(
      value === undefined
        ? {
            code: 'custom',
            message: `${text} is neither a number nor true or false.`,
            params: { code: 'not_a_number' },
          }
        : { code: 'custom', message: `${text} is too large a number.`, params: { code: 'not_finite' } },
    );
    return z.NEVER;
  });

const Gradient = z.array(Scalar).min(1, 'A list of values needs at least one.');

const Integer = z.union(
  [
    z.int(),
    z
      .string()
      .regex(/^[+-]?\d{1,15}$/, 'must be an integer')
      .transform(Number),
  ],
  'must be an integer',
);

/** Of a pattern; its automaton grows with it. */
const patternCharacters = 200;

const Pattern = z.string().superRefine((pattern, context) => {
  if (pattern.length > patternCharacters) {
    const message = `A pattern has at most ${patternCharacters} characters.`;
    context.addIssue({ code: 'custom', message, params: { code: 'invalid_pattern' } });
    return;
  }
  try {
    compilePattern(pattern);
  } catch (error) {
    const message = `The pattern is not RE2 syntax: ${(error as Error).message.slice(0, 200)}.`;
    context.addIssue({ code: 'custom', message, params: { code: 'invalid_pattern' } });
  }
});

const selectors = {
  filter: z.string().optional().meta({ description: 'Part of a tensor name; absent or “*” matches every tensor.' }),
  glob: z
    .string()
    .max(patternCharacters)
    .optional()
    .meta({ description: 'The whole tensor name: * stands for any characters, ? for one.' }),
  regex: Pattern.optional().meta({ description: 'RE2 syntax, found anywhere in the tensor name.' }),
  layers: z.tuple([Integer, Integer]).optional().meta({ description: 'First layer, and the one after the last.' }),
  role: z.enum(tensorRoles).optional().meta({ description: 'What the tensor is for.' }),
};

const Condition = z.object({
  value: z.union([Scalar, Gradient], 'must be a number, true or false, or a list of them'),
  ...selectors,
});

/** A value, a gradient over the layers, or conditions of which the first that matches the tensor's name decides. */
export const Setting = z
  .union(
    [Scalar, Gradient, Condition.transform((condition) => [condition]), z.array(Condition).min(1)],
    'must be a number, true or false, a list of numbers, or a list of entries with a “value” and a “filter”',
  )
  .meta({ title: 'Setting' });

export const Parameters = z.record(z.string(), Setting);

const InputModel = z.object({ model: ModelReferenceText, parameters: Parameters.optional() });

const InputSlice = z.object({
  model: ModelReferenceText,
  layer_range: z.tuple([Integer, Integer]).meta({ description: 'First layer, and the one after the last.' }),
  parameters: Parameters.optional(),
});

const OutputSlice = z.object({
  sources: z.array(InputSlice).min(1),
  merge_method: z.enum(methodNames).optional().meta({ description: 'Absent: the recipe’s.' }),
  base_model: ModelReferenceText.optional(),
  residual_weight: z.number().optional().meta({ description: 'Without effect, here and in MergeKit.' }),
  parameters: Parameters.optional(),
});

const Override = z.object({
  ...selectors,
  merge_method: z.enum(methodNames).optional(),
  base_model: ModelReferenceText.optional(),
  parameters: Parameters.optional(),
});

const OutputModule = z.object({
  models: z.array(InputModel).optional(),
  slices: z.array(OutputSlice).optional(),
  parameters: Parameters.optional(),
});

const Token = z.object({
  source: z
    .union(
      [
        z.strictObject({ kind: z.literal('zero') }),
        z.strictObject({
          kind: z.literal('model_token'),
          model: ModelReferenceText,
          token: z.string().nullish(),
          token_id: Integer.nullish(),
        }),
        ModelReferenceText,
      ],
      'must name a model, or have kind zero or model_token',
    )
    .optional(),
  force: z.boolean().default(false),
});

const Tokenizer = z.object({
  source: ModelReferenceText.default('union').meta({ description: 'union, base, or a model' }),
  tokens: z.record(z.string(), Token).optional(),
  pad_to_multiple_of: Integer.optional(),
});

const Dtype = z
  .string()
  .transform((name) => name.replace(/^torch\./, ''))
  .meta({ description: 'bfloat16, float16, float32 or float64' });

/** A MergeKit recipe: one method, one way of naming its inputs (models, slices or modules), their parameters. */
export const Recipe = z
  .object({
    name: z
      .union([z.string(), z.number().transform(String), z.boolean().transform(String)], 'must be a string')
      .optional(),
    merge_method: z.enum(methodNames),
    base_model: ModelReferenceText.optional(),
    models: z.array(InputModel).optional(),
    slices: z.array(OutputSlice).optional(),
    modules: z.record(z.string(), OutputModule).optional(),
    overrides: z.array(Override).optional().meta({
      description: 'Other ways for some tensors: the first entry whose selectors take a tensor holds for it.',
    }),
    parameters: Parameters.optional(),
    coefficients: ModelReferenceText.optional().meta({
      description: 'Where the coefficients lie that dam applies; named as a model is.',
    }),
    dtype: Dtype.optional(),
    out_dtype: Dtype.optional(),
    tokenizer_source: ModelReferenceText.optional(),
    tokenizer: Tokenizer.optional(),
    chat_template: z.string().optional(),
  })
  .meta({ id: 'Recipe', title: 'Merge recipe' });

export type Setting = z.infer<typeof Setting>;
export type Parameters = z.infer<typeof Parameters>;
export type Override = z.infer<typeof Override>;

/** A recipe that was read. Of several YAML documents it is the result's; `stages` holds those that it needs, in order. */
export type Recipe = z.infer<typeof Recipe> & { stages?: Recipe[] };
