// Ends a run with one line that says what was not tested and why: a skip that nobody sees is a test that nobody has.

/** What `describeWith` and `describeWithShared` put at the end of a title. */
const NEEDS = /\(needs ([^()]+)\)$/;

module.exports = class SkippedReporter {
  onRunComplete(_contexts, { testResults }) {
    const suites = new Map();
    const others = new Map();
    for (const { testFilePath, testResults: tests } of testResults) {
      // With `-t` jest skips what the pattern leaves out; such tests have no reason and need none.
      for (const { status, ancestorTitles, title, fullName } of tests) {
        if (status !== 'pending' && status !== 'todo') continue;
        const titles = [...ancestorTitles, title];
        const reason = titles.map((each) => NEEDS.exec(each)?.[1]).find((found) => found !== undefined);
        if (reason === undefined) others.set(`${testFilePath}\n${titles[0]}`, ancestorTitles[0] ?? fullName);
        else for (const need of reason.split(', ')) add(suites, need, `${testFilePath}\n${titles[0]}`);
      }
    }
    const parts = [...suites].map(
      ([need, { size }]) => `${count(size)} ${size === 1 ? 'needs' : 'need'} ${written(need)}`,
    );
    if (others.size > 0 && !process.argv.some((argument) => /^(-t|--testNamePattern)/.test(argument))) {
      parts.push(`${count(others.size)} for another reason (${[...others.values()].join('; ')})`);
    }
    if (parts.length > 0) process.stderr.write(`\nskipped: ${parts.join(', ')}\n`);
  }
};

function add(suites, need, suite) {
  if (!suites.has(need)) suites.set(need, new Set());
  suites.get(need).add(suite);
}

function count(number) {
  return number === 1 ? '1 suite' : `${number} suites`;
}

/** "python: AMALGAM_TEST_PYTHON" -> "python (AMALGAM_TEST_PYTHON)" */
function written(need) {
  return need.replace(/^(.+): (.+)$/, '$1 ($2)');
}
