import { describe, expect, it } from '@jest/globals';
import { methodNames } from './method.js';
import { findMethod, methods } from './registry.js';

describe('methods', () => {
  it('has MergeKit’s twenty and more, each under its own name', () => {
    expect(methodNames.indexOf('passthrough')).toBe(19);
    expect(Object.keys(methods)).toEqual([...methodNames]);
    for (const name of methodNames) expect(methods[name].name).toBe(name);
  });

  it('carries out some of them so far', () => {
    expect(methodNames.filter((name) => methods[name].executable)).toEqual([
      'linear',
      'slerp',
      'nuslerp',
      'multislerp',
      'karcher',
      'task_arithmetic',
      'ties',
      'model_stock',
      'nearswap',
      'passthrough',
      'expo',
    ]);
  });

  it('gives every parameter a default or asks for it, except the factor that passthrough leaves out', () => {
    const open = Object.values(methods).flatMap((method) =>
      Object.entries(method.parameters)
        .filter(([, parameter]) => parameter.default === undefined && !parameter.required)
        .map(([name]) => `${method.name}.${name}`),
    );
    expect(open).toEqual(['passthrough.scale']);
  });

  it('finds no method under the name of a prototype’s member', () => {
    expect(findMethod('constructor')).toBeUndefined();
    expect(findMethod('__proto__')).toBeUndefined();
  });
});
