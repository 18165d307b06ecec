import { describe, expect, test } from '@jest/globals';
import { assess } from './assess.js';
import { parseLicencePaths } from './licence-paths.js';
import { hasNamePrefix, type LicenceSource, obligationFiles } from './obligation-files.js';

function filesOf(inputs: string, sources: readonly LicenceSource[] = []) {
  const closure = parseLicencePaths(inputs);
  const found = obligationFiles(assess(closure), closure, sources);
  const text = (path: string): string => found.files.find((file) => file.path === path)?.text ?? '';
  return { ...found, licence: text('LICENSE'), notice: text('NOTICE') };
}

describe('what carries obligations out', () => {
  const llama = { path: 'LICENSE', text: 'LLAMA 3.1 COMMUNITY LICENSE AGREEMENT', licence: 'llama3.1' };
  const apache = { path: 'LICENSE.txt', text: 'Apache License', licence: 'apache-2.0' };
  const notice = { path: 'NOTICE', text: 'Copyright somebody' };

  test('of a Llama: agreement, sentence, credit line and name', () => {
    const found = filesOf('llama3.1>apache-2.0+mit', [llama, apache, notice, { ...llama }]);
    expect(found.licence).toMatch(/^This model as a whole is under: Llama 3\.1 Community License/);
    expect(found.licence.split(llama.text)).toHaveLength(2);
    expect(found.licence).toContain(apache.text);
    expect(found.notice).toMatch(
      /^Built with Llama\n\nLlama 3\.1 is licensed under the Llama 3\.1 Community License, Copyright/,
    );
    expect(found.notice).toContain('The weights were changed');
    expect(found.notice).toContain('llama3.1 > apache-2.0');
    expect(found.notice).toContain('Copyright somebody');
    expect(found).toMatchObject({ creditLines: ['Built with Llama'], namePrefix: 'Llama', missingTexts: [] });
  });

  test('an agreement that nobody holds is missing', () => {
    expect(filesOf('llama3.1+other:deepseek+mit').missingTexts).toEqual(['llama3.1', 'other:deepseek']);
    expect(filesOf('apache-2.0+mit').missingTexts).toEqual([]);
  });

  test('several texts follow each other', () => {
    const found = filesOf('llama3.1+gemma', [llama, { path: 'LICENSE', text: 'Gemma Terms of Use', licence: 'gemma' }]);
    expect(found.licence).toMatch(/^This model is under several terms at once: gemma-and-llama3\.1\./);
    expect(found.notice).toContain('Gemma is provided under and subject to the Gemma Terms of Use');
  });

  test('nothing where nothing is owed, or all is denied', () => {
    expect(filesOf('cc0-1.0+unlicense').files).toEqual([]);
    expect(filesOf('llama2+mit').files).toEqual([]);
  });

  test('the order of models and sources does not matter', () => {
    expect(filesOf('mit+llama3.1>apache-2.0', [apache, notice, llama])).toEqual(
      filesOf('llama3.1>apache-2.0+mit', [llama, notice, apache]),
    );
  });

  test.each([
    ['Llama-mine', 'Llama', true],
    ['my-Llama', 'Llama', false],
    ['llama-mine', 'Llama', false],
    ['Llama-3-mine', 'Llama 3', true],
    ['Llama3-mine', 'Llama 3', true],
    ['Llama-33-mine', 'Llama 3', false],
    ['Llama-mine', 'Llama 3', false],
  ] as const)('%s begins with %s: %s', (name, prefix, expected) => {
    expect(hasNamePrefix(name, prefix)).toBe(expected);
  });
});
