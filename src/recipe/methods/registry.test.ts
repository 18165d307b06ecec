import { describe, expect, it } from '@jest/globals';
import { methodNames } from './method.js';
import { findMethod, methods } from './registry.js';

describe('methods', () => {
  it('has MergeKit’s twenty and five beyond, each under its own name', () => {
    expect(methodNames.slice(20)).toEqual(['magmax', 'expo', 'dam', 'lines', 'widen']);
    expect(Object.keys(methods)).toEqual([...methodNames]);
    for (const name of methodNames) expect(methods[name].name).toBe(name);
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
