import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dump } from 'js-yaml';
import { readCard } from './front-matter.js';
import { recogniseLicence } from './licence-texts.js';

const card = (matter: string): string => `---\n${matter}\n---\n# Title\nlicense: gpl-3.0\n`;

describe('the front matter of a card', () => {
  test.each([
    ['license: apache-2.0', 'apache-2.0'],
    ['license: "MIT" # as ever', 'mit'],
    ["license: 'Llama3.1'", 'llama3.1'],
    ['license: other', 'other:unnamed'],
    ['license: other\nlicense_name: Qwen Research', 'other:qwen-research'],
    ['license: other\nlicense_name: llama3', 'llama3'],
    ['license: other\nlicense_name: apache-2.0', 'other:apache-2.0'],
    ['license: other\nlicense_name: unknown', 'other:unknown'],
    ['license:\n- mit', 'mit'],
    ['license: [mit]', 'mit'],
    ['license: unknown', 'unknown'],
    ['license:', undefined],
    ['license: null', undefined],
    ['  license: mit', undefined],
    ['license: two words', undefined],
    ['x: y', undefined],
  ])('%j states %j', (matter, licence) => {
    expect(readCard(card(matter)).licence).toBe(licence);
  });

  test.each([
    ['base_model: org/one', ['org/one']],
    ['base_model: "org/one"', ['org/one']],
    ['base_model: [org/one, "org/two"]', ['org/one', 'org/two']],
    ["base_model:\n  - org/one # first\n  - 'org/two'\n- org/one\ntags: []", ['org/one', 'org/two']],
    ['base_model:\n\n- org/one\n', ['org/one']],
    ['base_model: []', []],
    ['base_model: ~', []],
  ])('%j names bases', (matter, bases) => {
    expect(readCard(card(matter)).bases).toEqual(bases);
  });

  test('ends where it ends, and without an end says nothing', () => {
    expect(readCard('# Title\n---\nlicense: mit\n---\n').licence).toBeUndefined();
    expect(readCard('---\nlicense: mit\n').licence).toBeUndefined();
    expect(readCard('\uFEFF---\r\nlicense: mit\r\n---\r\n').licence).toBe('mit');
    expect(readCard(card('language:\n- en\n- zh-Hans\n- <b>\ntags: [a]'))).toMatchObject({
      languages: ['en', 'zh-Hans'],
      tags: ['a'],
    });
  });

  test('whatever a serializer writes is read again', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
    const name = fc.tuple(word, word).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 5 }), fc.boolean(), (bases, indented) => {
        const matter = dump({ license: 'gemma', base_model: bases, tags: ['x'] }, indented ? {} : { flowLevel: 1 });
        expect(readCard(card(matter.trimEnd()))).toMatchObject({ licence: 'gemma', bases });
      }),
    );
  });

  test('whatever strangers write is read without complaint', () => {
    const sign = fc.constantFrom('---\n', 'license:', 'base_model:', '\n- ', '[', ']', ' #', '"', "'", '\r\n');
    const text = fc.array(fc.oneof(sign, fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 30 });
    fc.assert(
      fc.property(text, (parts) => Array.isArray(readCard(`---\n${parts.join('')}`).bases)),
      { numRuns: 1_000 },
    );
  });
});

describe('the text of a licence file', () => {
  test.each([
    ['LLAMA 2 COMMUNITY LICENSE AGREEMENT', 'llama2'],
    ['META LLAMA 3 COMMUNITY LICENSE AGREEMENT\n\nMeta Llama 3 Version Release Date: April 18, 2024', 'llama3'],
    ['LLAMA 3.1 COMMUNITY LICENSE AGREEMENT', 'llama3.1'],
    ['# **Llama 3.3** Community\nLicense Agreement', 'llama3.3'],
    ['Gemma Terms of Use\n\nLast modified: March 24, 2025', 'gemma'],
    ['Apache License\n                           Version 2.0, January 2004', 'apache-2.0'],
    ['GNU AFFERO GENERAL PUBLIC LICENSE\n Version 3, 19 November 2007', 'agpl-3.0'],
    ['GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007 ... GNU Affero General Public License', 'gpl-3.0'],
    ['GNU LESSER GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007 ... GNU General Public License', 'lgpl-3.0'],
    ['Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International Public License', 'cc-by-nc-sa-4.0'],
    ['Creative Commons Attribution 4.0 International', 'cc-by-4.0'],
    ['BigScience Open RAIL-M License', 'bigscience-openrail-m'],
    ['DEEPSEEK LICENSE AGREEMENT\nVersion 1.0, 23 October 2023', 'other:deepseek'],
    ['Qwen RESEARCH LICENSE AGREEMENT', 'other:qwen-research'],
    ['All rights reserved.', undefined],
    ['', undefined],
  ])('%j is %s', (text, licence) => {
    expect(recogniseLicence(text)).toBe(licence);
  });
});
