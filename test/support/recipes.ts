import { type MethodName, methods } from '../../src/recipe/index.js';
import { Random } from './random.js';

export type Condition = { filter?: string; value: number | number[] };
/** A setting as people write it: a number (or one in quotes), a boolean, a gradient, or conditions. */
export type WrittenSetting = number | string | boolean | number[] | Condition[];
export type WrittenParameters = Record<string, WrittenSetting>;

export interface WrittenSource {
  model: string;
  layer_range: [number, number];
  parameters?: WrittenParameters;
}

export interface WrittenSlice {
  sources: WrittenSource[];
  parameters?: WrittenParameters;
}

/** A recipe before it is YAML. */
export interface WrittenRecipe {
  merge_method: MethodName;
  base_model?: string;
  models?: { model: string; parameters?: WrittenParameters }[];
  slices?: WrittenSlice[];
  parameters?: WrittenParameters;
  coefficients?: string;
  dtype?: string;
  out_dtype?: string;
}

/** What this version carries out. */
export const executableMethods = Object.values(methods)
  .filter(({ executable }) => executable)
  .map(({ name }) => name);
/** What `generateRecipe` knows how to write. */
export const drawnMethods = [
  'passthrough',
  'linear',
  'task_arithmetic',
  'slerp',
  'ties',
] as const satisfies MethodName[];

/** Models that fit together, for recipes to name. */
export interface ModelSet {
  base: string;
  /** At least three. */
  experts: readonly string[];
  /** 0: they have none, and recipes take them whole. */
  layers: number;
  /** Recipes may change the number of layers. */
  stackable: boolean;
  /** Stored with 16 bits: methods that trim run in a wider type, where MergeKit does not round before it sorts. */
  narrow: boolean;
}

const FILTERS = ['mlp', 'self_attn', 'norm', 'embed', 'lm_head', 'layers.1.', 'down_proj', 'weight', 'bias'];

/** A recipe of the method that MergeKit 0.1.5 and this engine both carry out. The same seed gives the same recipe. */
export function generateRecipe(random: Random, method: MethodName, set: ModelSet): WrittenRecipe {
  const draw = new RecipeDraw(random, method, set);
  const recipe = draw.recipe();
  if (random.chance(0.4) || (set.narrow && method === 'ties')) {
    const wide = ['float32', 'float64'];
    recipe.dtype = random.pick(method === 'ties' ? wide : [...wide, 'bfloat16', 'float16']);
  }
  if (random.chance(0.3)) recipe.out_dtype = random.pick(['float32', 'bfloat16', 'float16']);
  return recipe;
}

class RecipeDraw {
  constructor(
    private readonly random: Random,
    private readonly method: MethodName,
    private readonly set: ModelSet,
  ) {}

  recipe(): WrittenRecipe {
    const { random, method } = this;
    const models = this.inputs();
    const global = this.globalParameters();
    const needsBase = method !== 'passthrough' && method !== 'linear';
    const recipe: WrittenRecipe = { merge_method: method };
    if (needsBase) recipe.base_model = this.set.base;
    if (this.isWeighted && random.chance(0.2)) this.shareWeight(models, global);
    if (Object.keys(global).length > 0) recipe.parameters = global;
    const listed = needsBase && (method === 'slerp' || random.chance(0.5));
    if (listed) models.splice(random.integer(0, models.length), 0, { model: this.set.base, parameters: {} });
    if (this.set.layers > 1 && random.chance(0.3)) recipe.slices = this.slices(models, needsBase && !listed);
    else recipe.models = models.map(withoutEmpty);
    return recipe;
  }

  private get isWeighted(): boolean {
    return this.method === 'linear' || this.method === 'task_arithmetic' || this.method === 'ties';
  }

  /** One weight for all models at once; a model's own condition goes before it where it matches. */
  private shareWeight(models: readonly { parameters: WrittenParameters }[], global: WrittenParameters): void {
    global['weight'] = this.setting(() => this.weight());
    for (const { parameters } of models) {
      if (this.random.chance(0.5)) delete parameters['weight'];
      else parameters['weight'] = [{ filter: this.random.pick(FILTERS), value: this.weight() }];
    }
  }

  private inputs(): { model: string; parameters: WrittenParameters }[] {
    const { random, method, set } = this;
    const most = method === 'passthrough' || method === 'slerp' ? 1 : random.integer(1, 3);
    const pool = method === 'passthrough' || method === 'linear' ? [set.base, ...set.experts] : [...set.experts];
    const count = method === 'linear' ? most + 1 : most;
    return Array.from({ length: count }, () => {
      const [model = set.base] = pool.splice(random.integer(0, pool.length - 1), 1);
      return { model, parameters: this.modelParameters() };
    });
  }

  private modelParameters(): WrittenParameters {
    const { random, method } = this;
    if (method === 'slerp') return {};
    if (method === 'passthrough') return random.chance(0.6) ? { scale: this.setting(() => this.weight()) } : {};
    const parameters: WrittenParameters = { weight: this.setting(() => this.weight()) };
    if (method === 'ties') parameters['density'] = this.setting(() => this.density());
    return parameters;
  }

  private globalParameters(): WrittenParameters {
    const { random, method } = this;
    const parameters: WrittenParameters = {};
    if (method === 'slerp') parameters['t'] = this.setting(() => round(random.next() * 1.2 - 0.1));
    if (method === 'linear' && random.chance(0.4)) parameters['normalize'] = random.chance(0.5);
    if (method !== 'task_arithmetic' && method !== 'ties') return parameters;
    if (random.chance(0.5)) parameters['normalize'] = random.chance(0.5);
    if (random.chance(0.5)) parameters['lambda'] = this.setting(() => round(0.3 + random.next()));
    if (method === 'ties' && random.chance(0.3)) parameters['int8_mask'] = true;
    return parameters;
  }

  private slices(models: { model: string; parameters: WrittenParameters }[], addBase: boolean): WrittenSlice[] {
    const { random, set } = this;
    const all = addBase ? [...models, { model: set.base, parameters: {} }] : models;
    const cut = random.integer(1, set.layers - 1);
    const overlap = set.stackable && random.chance(0.5) ? 1 : 0;
    const ranges: [number, number][] = [
      [0, cut],
      [cut - overlap, set.layers],
    ];
    return ranges.map((range) => ({
      sources: all.map(({ model, parameters }) => withoutEmpty({ model, layer_range: range, parameters })),
      ...(this.method === 'ties' && random.chance(0.3) && { parameters: { density: this.density() } }),
    }));
  }

  /** Positive: sums of them stay away from zero, by which MergeKit would divide. */
  private weight(): number {
    return round(0.15 + this.random.next());
  }

  private density(): number {
    return this.random.pick([0.05, 0.2, 0.33, 0.5, 0.71, 0.9, 1, 0]);
  }

  private setting(value: () => number): WrittenSetting {
    const { random } = this;
    const gradient = (): number[] => Array.from({ length: random.integer(2, 5) }, value);
    const kind = random.next();
    if (kind < 0.45) return value();
    if (kind < 0.5) return String(value());
    if (kind < 0.75) return gradient();
    const conditions = Array.from({ length: random.integer(0, 2) }, (): Condition => {
      return { filter: random.pick(FILTERS), value: random.chance(0.5) ? value() : gradient() };
    });
    return [...conditions, { value: random.chance(0.7) ? value() : gradient() }];
  }
}

function withoutEmpty<Entry extends { parameters: WrittenParameters }>(
  entry: Entry,
): Omit<Entry, 'parameters'> & { parameters?: WrittenParameters } {
  const { parameters, ...rest } = entry;
  return Object.keys(parameters).length > 0 ? { ...rest, parameters } : rest;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
