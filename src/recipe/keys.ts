import { z } from 'zod';
import { type IssueList } from './issue-list.js';
import { methodsInUse } from './methods-in-use.js';
import { findMeant } from './near-miss.js';
import { ParameterKeys } from './parameter-keys.js';
import { whereKeyBelongs } from './belongs.js';
import type { Path } from './pointers.js';
import { Recipe } from './schema.js';

type Mapping = Readonly<Record<string, unknown>>;

/**
 * A copy of a written recipe with the keys alone that the schema knows at their place, and without the nulls that stand for
 * “not given”. Every other key is judged: a near miss is refused, anything else is a warning that says where it belongs.
 */
export function keepKnownKeys(written: Mapping, issues: IssueList): unknown {
  const parameters = new ParameterKeys(methodsInUse(written), issues);

  const visit = (value: unknown, schema: z.core.$ZodType, path: Path): unknown => {
    if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return visit(value, schema.unwrap(), path);
    if (schema instanceof z.ZodObject && isMapping(value)) return visitObject(value, schema, path);
    if (schema instanceof z.ZodArray && Array.isArray(value)) {
      return value.map((item, index) => visit(item, schema.element, [...path, index]));
    }
    if (schema instanceof z.ZodRecord && isMapping(value)) {
      if (path.at(-1) === 'parameters') return parameters.keep(value, path);
      return mapValues(value, (item, key) => visit(item, schema.valueType, [...path, key]));
    }
    noteOverride(value, path, issues);
    return value;
  };

  const visitObject = (value: Mapping, schema: z.ZodObject, path: Path): unknown => {
    const shape = schema.shape as Record<string, z.core.$ZodType>;
    const kept: Record<string, unknown> = {};
    for (const [key, member] of Object.entries(value)) {
      const memberPath = [...path, key];
      const known = Object.hasOwn(shape, key) ? shape[key] : undefined;
      if (known === undefined) judge(key, Object.keys(shape), memberPath);
      else if (member !== null || !isOptional(known)) kept[key] = visit(member, known, memberPath);
    }
    return kept;
  };

  const judge = (key: string, known: string[], path: Path): void => {
    const place = whereKeyBelongs(key, path);
    const meant = place === undefined ? findMeant(key, known) : undefined;
    if (meant !== undefined) {
      issues.suspect('near_miss', path, `“${key}” is not known here; “${meant}” was probably meant.`, 'key');
    } else if (place !== undefined) {
      issues.warn('misplaced_key', path, `“${key}” has no effect here; it belongs ${place}.`, 'key');
    } else {
      const otherCase = key.toLowerCase();
      const otherPlace = whereKeyBelongs(otherCase, path);
      const hint = otherPlace === undefined ? '' : `; “${otherCase}” belongs ${otherPlace}`;
      issues.warn('unknown_key', path, `“${key}” is not a key of a recipe; it has no effect${hint}.`, 'key');
    }
  };

  return visit(written, Recipe, []);
}

function isOptional(schema: z.core.$ZodType): boolean {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault;
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mapValues(value: Mapping, change: (item: unknown, key: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item, key)]));
}

/** The mapping form of a model reference may name an architecture; the engine takes the tensors from the files themselves. */
function noteOverride(value: unknown, path: Path, issues: IssueList): void {
  if (!isMapping(value) || value['override_architecture'] === undefined) return;
  issues.warn(
    'ignored_key',
    [...path, 'override_architecture'],
    'Tensors are taken from the files; no architecture has to be named.',
    'key',
  );
}
