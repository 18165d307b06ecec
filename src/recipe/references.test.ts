import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ModelReferenceError, formatModelReference, parseModelReference } from './references.js';

describe('parseModelReference', () => {
  it.each([
    ['org/name', { model: 'org/name' }],
    ['./dir with spaces', { model: './dir with spaces' }],
    ['C:\\models\\a', { model: 'C:\\models\\a' }],
    ['team/name@3', { model: 'team/name', revision: '3' }],
    ['hf:org/name@main', { model: 'hf:org/name', revision: 'main' }],
    ['a+b', { model: 'a', lora: { model: 'b' } }],
    ['a@1+b@2', { model: 'a', revision: '1', lora: { model: 'b', revision: '2' } }],
  ])('takes %s apart', (text, reference) => {
    expect(parseModelReference(text)).toEqual(reference);
  });

  it.each(['', '@1', 'a@', 'a+', '+b', 'a+b+c', 'a@1@2', 'a+b@1@2', 'a\nb', 'a\0'])('refuses %j', (text) => {
    expect(() => parseModelReference(text)).toThrow(ModelReferenceError);
  });

  it('is undone by formatModelReference', () => {
    const part = fc.string({ unit: fc.constantFrom('a', '/', '.', '-', ' '), minLength: 1 });
    const named = fc.record({ model: part, revision: part }, { requiredKeys: ['model'] });
    fc.assert(
      fc.property(named, fc.option(named, { nil: undefined }), (base, lora) => {
        const reference = { ...base, ...(lora && { lora }) };
        expect(parseModelReference(formatModelReference(reference))).toEqual(reference);
      }),
    );
  });
});
