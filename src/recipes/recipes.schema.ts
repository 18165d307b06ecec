import { z } from 'zod';

export const ValidateRecipe = z
  .strictObject({
    recipe: z
      .union([z.record(z.string(), z.unknown()), z.string()], 'must be a recipe as an object or as YAML text')
      .describe('A MergeKit recipe, as an object or as YAML text.'),
    lenient: z.boolean().default(false).describe('Take near misses of known keys as warnings.'),
  })
  .meta({
    id: 'ValidateRecipe',
    example: {
      recipe: {
        merge_method: 'slerp',
        base_model: 'samples/base',
        models: [{ model: 'samples/reverse' }],
        parameters: { t: 0.5 },
        dtype: 'bfloat16',
      },
    },
  });
export type ValidateRecipe = z.infer<typeof ValidateRecipe>;

export const ValidateQuery = z.object({
  lenient: z
    .stringbool({ truthy: ['true', '1'], falsy: ['false', '0'] })
    .optional()
    .describe('For a recipe that is sent as YAML.')
    .meta({ enum: ['true', '1', 'false', '0'] }),
});
export type ValidateQuery = z.infer<typeof ValidateQuery>;

export const RecipeIssue = z
  .object({
    severity: z.enum(['error', 'warning']),
    code: z.string(),
    message: z.string(),
    pointer: z.string().describe('RFC 6901 pointer into the recipe.'),
    line: z.int().optional(),
    column: z.int().optional(),
  })
  .meta({ id: 'RecipeIssue' });

export const ValidatedRecipe = z
  .object({
    executable: z.boolean().describe('Whether this version can carry it out.'),
    models: z.array(z.string()).describe('References in order of first mention.'),
    canonical: z.record(z.string(), z.unknown()).describe('The same recipe with defaults filled in.'),
    warnings: z.array(RecipeIssue),
  })
  .meta({ id: 'ValidatedRecipe' });
export type ValidatedRecipe = z.infer<typeof ValidatedRecipe>;

const Scalar = z.union([z.number(), z.boolean(), z.string()]);

export const MethodParameter = z
  .object({
    name: z.string(),
    scope: z.enum(['model', 'global']),
    type: z.enum(['number', 'boolean', 'integer']),
    default: Scalar.optional(),
    words: z.record(z.string(), Scalar).optional().describe('Words that it takes, and what each means.'),
    required: z.boolean().optional(),
    min: z.number().optional(),
    max: z.number().optional(),
    doc: z.string(),
  })
  .meta({ id: 'MethodParameter' });

export const Method = z
  .object({
    name: z.string().meta({ example: 'slerp' }),
    title: z.string(),
    executable: z.boolean().describe('Whether this version can carry it out.'),
    base: z.enum(['required', 'optional', 'ignored', 'forbidden']).describe('What a base model means to the method.'),
    minModels: z.int(),
    maxModels: z.int().optional(),
    parameters: z.array(MethodParameter),
    doc: z.string(),
    paper: z.object({ title: z.string(), url: z.string() }).optional(),
  })
  .meta({ id: 'Method' });

export const MethodList = z.object({ items: z.array(Method) }).meta({ id: 'MethodList' });
export type MethodList = z.infer<typeof MethodList>;
