import { drawn, type DrawnMethod, type Draws, type drawnMethods, round } from './drawn-methods.js';
import type { Random } from './random.js';
import type { Condition, ModelSet, WrittenParameters, WrittenRecipe, WrittenSetting, WrittenSlice } from './recipes.js';

type Method = (typeof drawnMethods)[number];
type Model = { model: string; parameters: WrittenParameters };

const FILTERS = ['mlp', 'self_attn', 'norm', 'embed', 'lm_head', 'layers.1.', 'down_proj', 'weight', 'bias'];

/** A recipe of the method that MergeKit 0.1.5 and this engine both carry out. The same seed gives the same recipe. */
export function generateRecipe(random: Random, method: Method, set: ModelSet): WrittenRecipe {
  const kind: DrawnMethod = drawn[method];
  const recipe = new RecipeDraw(random, method, kind, set).recipe();
  const dtypes = {
    'in f64': ['float64'],
    'in f32': ['float32', 'float64'],
    whatever: ['float32', 'float64', 'bfloat16', 'float16'],
  }[kind.compares ?? 'whatever'];
  const isNeeded = kind.compares === 'in f64' || (kind.compares === 'in f32' && set.narrow);
  if (random.chance(0.4) || isNeeded) recipe.dtype = random.pick(dtypes);
  if (random.chance(0.3)) recipe.out_dtype = random.pick(['float32', 'bfloat16', 'float16']);
  return recipe;
}

class RecipeDraw implements Draws {
  constructor(
    readonly random: Random,
    private readonly method: Method,
    private readonly kind: DrawnMethod,
    private readonly set: ModelSet,
  ) {}

  recipe(): WrittenRecipe {
    const { random, kind, set } = this;
    const hasBase = kind.base === 'always' || (kind.base === 'sometimes' && random.chance(0.5));
    const models = this.inputs(hasBase);
    const global = kind.global?.(this) ?? {};
    const recipe: WrittenRecipe = { merge_method: this.method };
    if (hasBase) recipe.base_model = set.base;
    if (models.some(({ parameters }) => 'weight' in parameters) && random.chance(0.2)) this.shareWeight(models, global);
    if (Object.keys(global).length > 0) recipe.parameters = global;
    const listed = hasBase && random.chance(0.5);
    if (listed) models.splice(random.integer(0, models.length), 0, { model: set.base, parameters: {} });
    if (set.layers > 1 && random.chance(0.3)) recipe.slices = this.slices(models, hasBase && !listed);
    else recipe.models = models.map(withoutEmpty);
    return recipe;
  }

  setting = (value: () => number): WrittenSetting => {
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
  };

  /** Positive: sums of them stay away from zero, by which MergeKit would divide. */
  weight = (): number => round(0.15 + this.random.next());

  density = (): number => this.random.pick([0.05, 0.2, 0.33, 0.5, 0.71, 0.9, 1, 0]);

  maybe = (chance: number, parameters: () => WrittenParameters): WrittenParameters =>
    this.random.chance(chance) ? parameters() : {};

  private inputs(hasBase: boolean): Model[] {
    const { random, kind, set } = this;
    const [least, most] = kind.models;
    const pool = hasBase ? [...set.experts] : [set.base, ...set.experts];
    return Array.from({ length: random.integer(least, most) }, () => {
      const [model = set.base] = pool.splice(random.integer(0, pool.length - 1), 1);
      return { model, parameters: kind.ofModel?.(this) ?? {} };
    });
  }

  /** One weight for all models at once; a model's own condition goes before it where it matches. */
  private shareWeight(models: readonly Model[], global: WrittenParameters): void {
    global['weight'] = this.setting(this.weight);
    for (const { parameters } of models) {
      if (this.random.chance(0.5)) delete parameters['weight'];
      else parameters['weight'] = [{ filter: this.random.pick(FILTERS), value: this.weight() }];
    }
  }

  private slices(models: readonly Model[], addBase: boolean): WrittenSlice[] {
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
}

function withoutEmpty<Entry extends { parameters: WrittenParameters }>(
  entry: Entry,
): Omit<Entry, 'parameters'> & { parameters?: WrittenParameters } {
  const { parameters, ...rest } = entry;
  return Object.keys(parameters).length > 0 ? { ...rest, parameters } : rest;
}
