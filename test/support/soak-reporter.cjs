// Writes what a soak found to test/soak/report.md, which is committed: a count for every suite, and each failure by name.
// What was not run this time keeps its row: the whole takes hours.
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const { cpus } = require('node:os');
const { relative, resolve } = require('node:path');

module.exports = class SoakReporter {
  constructor({ rootDir }) {
    this.root = rootDir;
  }

  onRunComplete(_contexts, { testResults }) {
    const path = resolve(this.root, 'test/soak/report.md');
    const old = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    const places = testResults.map(({ testFilePath }) => `\`${relative(this.root, testFilePath)}\``);
    const isKept = (line, mark) =>
      line.startsWith(`${mark} \`test/soak/`) &&
      existsSync(resolve(this.root, line.split('`')[1])) &&
      !places.some((place) => line.startsWith(`${mark} ${place}`));
    const rows = old.filter((line) => isKept(line, '|'));
    const failures = old.filter((line) => isKept(line, '-'));
    for (const { testFilePath, testResults: tests, perfStats } of testResults) {
      const count = (wanted) => tests.filter(({ status }) => status === wanted).length;
      const seconds = Math.round((perfStats.end - perfStats.start) / 1000);
      const suite = tests[0]?.ancestorTitles[0] ?? 'did not load';
      const place = `\`${relative(this.root, testFilePath)}\``;
      rows.push(`| ${place} | ${suite} | ${count('passed')} | ${count('failed')} | ${count('pending')} | ${seconds} |`);
      for (const { status, fullName } of tests) if (status === 'failed') failures.push(`- ${place}: ${fullName}`);
    }
    const lines = [
      '# The last soak',
      '',
      `What \`npm run test:soak\` wrote, with Node ${process.version} on ${cpus().length} cores.`,
      '',
      '| file | what | passed | failed | skipped | seconds |',
      '| --- | --- | --- | --- | --- | --- |',
      ...rows.sort(),
      ...(failures.length > 0 ? ['', ...failures] : []),
      '',
    ];
    writeFileSync(path, lines.join('\n'));
  }
};
