import { expect, test } from '@jest/globals';
import { publishedCard } from './publication-card.js';

const licence = { resultLicence: 'llama3.1' };
const credit = ['Built with Llama'];

test('a credit that the card lacks comes right behind the front matter, once', () => {
  const card = '---\nlicense: llama3.1\n---\n# Mine\n';
  const published = publishedCard(card, licence, credit, 'x');
  expect(published).toBe('---\nlicense: llama3.1\n---\n\n**Built with Llama**\n\n# Mine\n');
  expect(publishedCard(published, licence, credit, 'x')).toBe(published);
});

test('a card without anything to add stays as it is', () => {
  expect(publishedCard('# Mine\n', licence, [], 'x')).toBe('# Mine\n');
});

test('a version without a card gets one with its licence', () => {
  expect(publishedCard(undefined, { resultLicence: 'other', licenceName: 'a-and-b' }, [], 'x')).toBe(
    '---\nlicense: other\nlicense_name: a-and-b\nlicense_link: LICENSE\n---\n\n# x\n',
  );
});
