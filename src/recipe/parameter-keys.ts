import { z } from 'zod';
import { methodsWithParameter, whereRecipeKeyBelongs } from './belongs.js';
import type { IssueList } from './issue-list.js';
import type { MethodDefinition } from './methods/method.js';
import { findMeant } from './near-miss.js';
import type { Path } from './pointers.js';
import { selectorKeys } from './selectors.js';

type Mapping = Readonly<Record<string, unknown>>;

// What MergeKit takes for any parameter, its method's or not. A mapping without `value` is none: it refuses the recipe.
const WrittenScalar = z.union([z.string(), z.boolean(), z.number()]);
const WrittenCondition = z.object({ value: z.union([WrittenScalar, z.array(WrittenScalar)]) });
const WrittenSetting = z.union([WrittenScalar, z.array(WrittenScalar), WrittenCondition, z.array(WrittenCondition)]);

const conditionKeys: readonly string[] = ['value', ...selectorKeys];

/** Judges the names under `parameters`: what belongs to one of the recipe's methods at this level stays, the rest is explained. */
export class ParameterKeys {
  constructor(
    private readonly methods: readonly MethodDefinition[],
    private readonly issues: IssueList,
  ) {}

  /** The parameters that the methods know at that place. */
  keep(written: Mapping, path: Path): Record<string, unknown> {
    const kept: Record<string, unknown> = {};
    // Without a method every name is somebody's; the unknown method is the error.
    if (this.methods.length === 0) return kept;
    const ofOneModel = path.at(-3) === 'models' || path.at(-3) === 'sources';
    for (const [name, setting] of Object.entries(written)) {
      const place = [...path, name];
      const owners = this.methods.filter(({ parameters }) => Object.hasOwn(parameters, name));
      const [owner] = owners;
      if (owner === undefined) this.judge(name, setting, place);
      else if (ofOneModel && owners.every(({ parameters }) => parameters[name]?.scope === 'global')) {
        const message = `${owner.name} has one “${name}” for all models; it has no effect here and belongs in the parameters of the recipe or a slice.`;
        this.issues.warn('misplaced_parameter', place, message, 'key');
      } else kept[name] = this.keepConditions(setting, place);
    }
    return kept;
  }

  private judge(name: string, setting: unknown, path: Path): void {
    const methods = this.methods.map((method) => method.name).join(' and ');
    const known = this.methods.flatMap(({ parameters }) => Object.keys(parameters));
    const owners = methodsWithParameter(name);
    const place = whereRecipeKeyBelongs(name);
    const meant = owners.length === 0 && place === undefined ? findMeant(name, known) : undefined;
    if (meant !== undefined) {
      this.issues.suspect('near_miss', path, `${methods} has no “${name}”; “${meant}” was probably meant.`, 'key');
    } else if (owners.length > 0) {
      const message = `“${name}” has no effect under ${methods}; it belongs to ${owners.join(', ')}.`;
      this.issues.warn('parameter_of_other_method', path, message, 'key');
    } else if (place !== undefined) {
      this.issues.warn('misplaced_key', path, `“${name}” has no effect under parameters; it belongs ${place}.`, 'key');
    } else {
      this.issues.warn('unknown_parameter', path, `No method has a parameter “${name}”; it has no effect.`, 'key');
    }
    if (!WrittenSetting.safeParse(setting).success) {
      const message = `“${name}” is no parameter of ${methods}, nor is its value one that any parameter can have: a number, a list, or entries with a “value” and a “filter”.`;
      this.issues.error('invalid_setting', path, message);
    }
  }

  /** The setting without the keys of its conditions that mean nothing. */
  private keepConditions(setting: unknown, path: Path): unknown {
    if (Array.isArray(setting)) return setting.map((item, index) => this.keepCondition(item, [...path, index]));
    return this.keepCondition(setting, path);
  }

  private keepCondition(entry: unknown, path: Path): unknown {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return entry;
    const kept: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(entry as Mapping)) {
      if (conditionKeys.includes(key)) {
        if (key === 'value' || value !== null) kept[key] = value;
        continue;
      }
      const place = [...path, key];
      const meant = findMeant(key, conditionKeys);
      if (meant !== undefined) {
        const effect = meant === 'filter' ? ' Without it the entry applies to every tensor.' : '';
        const message = `“${key}” is not known here; “${meant}” was probably meant.${effect}`;
        this.issues.suspect('near_miss', place, message, 'key');
      } else
        this.issues.warn(
          'unknown_key',
          place,
          `“${key}” has no effect here: an entry has a “value” and a “filter” or other selectors.`,
          'key',
        );
    }
    return kept;
  }
}
