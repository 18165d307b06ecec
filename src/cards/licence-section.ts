import type { Assessment } from '../licences/assess.js';
import { pathText } from '../licences/closure.js';
import { creditLines } from '../licences/obligation-files.js';
import { obligations } from '../licences/obligations.js';
import { markdownCode, markdownTable, markdownText } from './markdown.js';

/** Licence and attribution: what the whole is under, why, and what it asks of whoever passes it on. */
export function licenceSection(assessment: Assessment): string {
  const { obligations: owed, paths, why } = assessment;
  return [
    ...creditLines(owed).map((line) => `**${line}**`),
    verdictText(assessment),
    markdownText(why),
    paths.length === 0 ? '' : paths.map((path) => `* ${markdownCode(pathText(path))}`).join('\n'),
    owed.length === 0
      ? ''
      : markdownTable(
          ['Obligation', 'What it asks'],
          owed.map((each) => [markdownCode(each), markdownText(obligations[each])]),
        ),
    'This is the engineering policy of Amalgam, not legal advice.',
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function verdictText({ verdict, resultLicence, licenceName = '' }: Assessment): string {
  if (verdict === 'deny') return 'The licences of its ancestors do not let this model be published.';
  const whole =
    resultLicence === '-'
      ? 'Which licence the whole is under is not known yet.'
      : resultLicence === 'other'
        ? `The whole is under several or custom terms at once: ${markdownCode(licenceName)}; see LICENSE.`
        : `The whole is under ${markdownCode(resultLicence)}.`;
  return verdict === 'needs-approval' ? `${whole} Publishing it needs the approval of a person.` : whole;
}

/** Front matter of a licence, as the Hub reads it; empty where nothing holds for the whole. */
export function licenceFields({ resultLicence, licenceName }: Assessment): Record<string, string> {
  if (resultLicence === '-') return {};
  if (resultLicence !== 'other') return { license: resultLicence };
  return { license: 'other', license_name: licenceName ?? 'custom', license_link: 'LICENSE' };
}
