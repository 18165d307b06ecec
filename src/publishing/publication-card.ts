import { dump } from 'js-yaml';
import { overlayPlace } from '../cards/card-overlay.js';
import type { VersionLicence } from '../licences/licences.schema.js';

export const cardFile = 'README.md';

/**
 * The card as it is published: what it says today, with the sentences that a licence wants to be read on it.
 * @param card undefined when the version has none; then it gets one that says its licence and its name
 */
export function publishedCard(
  card: string | undefined,
  { resultLicence, licenceName }: Pick<VersionLicence, 'resultLicence' | 'licenceName'>,
  creditLines: readonly string[],
  name: string,
): string {
  const text = card ?? `---\n${frontMatter(resultLicence, licenceName)}---\n\n# ${name}\n`;
  const missing = creditLines.filter((line) => !text.includes(line));
  if (missing.length === 0) return text;
  const bytes = Buffer.from(text);
  const place = overlayPlace(bytes);
  const credits = missing.map((line) => `**${line}**\n`).join('\n');
  return Buffer.concat([bytes.subarray(0, place), Buffer.from(`\n${credits}\n`), bytes.subarray(place)]).toString();
}

/** Built by a serializer, never from a template: names are data. */
function frontMatter(licence: string, licenceName: string | undefined): string {
  if (licence === '-') return '';
  const isOther = licence === 'other';
  return dump({
    license: licence,
    ...(isOther && { license_name: licenceName ?? 'other', license_link: 'LICENSE' }),
  });
}
