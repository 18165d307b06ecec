import { RE2JS } from 're2js';
import { layerOf, type TensorRole, tensorRole } from './tensor-role.js';

/** Which tensors something holds for. Of several selectors all must take the tensor; without any, every tensor is taken. */
export interface Selector {
  /** Part of the tensor's name; `*` takes every tensor. */
  filter?: string | undefined;
  /** The whole name, where `*` stands for any characters and `?` for one. */
  glob?: string | undefined;
  /** RE2 syntax, found anywhere in the name. Matching takes time linear in the name's length, whatever the pattern. */
  regex?: string | undefined;
  /** First layer, and the one after the last; tensors outside the layers are not taken. */
  layers?: [number, number] | undefined;
  role?: Exclude<TensorRole, 'other'> | undefined;
}

export const selectorKeys = ['filter', 'glob', 'regex', 'layers', 'role'] as const;

/** Whether the selector takes the tensor of that name. */
export function selects(selector: Selector, name: string): boolean {
  const { filter, layers, role } = selector;
  if (filter !== undefined && filter !== '*' && !name.includes(filter)) return false;
  if (role !== undefined && tensorRole(name) !== role) return false;
  if (layers !== undefined) {
    const layer = layerOf(name)?.layer;
    if (layer === undefined || layer < layers[0] || layer >= layers[1]) return false;
  }
  return patternsOf(selector).every((pattern) => pattern.test(name));
}

/** Whether a selector takes every tensor, whatever its name. */
export function selectsEverything({ filter, glob, regex, layers, role }: Selector): boolean {
  const isOpen = filter === undefined || filter === '*' || filter === '';
  return isOpen && [glob, regex, layers, role].every((selector) => selector === undefined);
}

/** @throws RE2JSException when the text is not RE2 syntax */
export function compilePattern(regex: string): RE2JS {
  return RE2JS.compile(regex);
}

const compiled = new WeakMap<Selector, RE2JS[]>();

function patternsOf(selector: Selector): RE2JS[] {
  const { glob, regex } = selector;
  if (glob === undefined && regex === undefined) return [];
  let patterns = compiled.get(selector);
  if (patterns === undefined) {
    patterns = [
      ...(glob === undefined ? [] : [compilePattern(globPattern(glob))]),
      ...(regex === undefined ? [] : [compilePattern(regex)]),
    ];
    compiled.set(selector, patterns);
  }
  return patterns;
}

function globPattern(glob: string): string {
  const parts = [...glob].map((letter) => (letter === '*' ? '.*' : letter === '?' ? '.' : RE2JS.quote(letter)));
  return `(?s)^${parts.join('')}$`;
}
