import { type Assessment, assess } from '../licences/assess.js';
import { pathText } from '../licences/closure.js';
import { parseLicencePaths } from '../licences/licence-paths.js';
import { obligations } from '../licences/obligations.js';

export interface LicenceOptions {
  commercial?: boolean;
  json?: boolean;
}

/** `amalgam licence llama3.1+apache-2.0`: what may be published, and what has to be done for it. @throws AppError licence_invalid */
export function licence(inputs: readonly string[], options: LicenceOptions): void {
  const found = assess(parseLicencePaths(inputs.join('+')), { commercial: options.commercial === true });
  process.stdout.write(options.json === true ? `${JSON.stringify(found, null, 2)}\n` : inWords(found));
}

function inWords({ verdict, resultLicence, licenceName, obligations: owed, why, paths }: Assessment): string {
  const name = licenceName === undefined ? '' : ` (${licenceName})`;
  const lines = [
    verdict,
    `  licence of the result: ${resultLicence === '-' ? 'none' : `${resultLicence}${name}`}`,
    `  why: ${why}`,
    ...paths.map((path) => `  path: ${pathText(path)}`),
    ...owed.map((each) => `  ${each}: ${obligations[each]}`),
    'Engineering policy, not legal advice.',
  ];
  return `${lines.join('\n')}\n`;
}
