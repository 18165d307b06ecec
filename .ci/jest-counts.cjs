// Prints "PASSED FAILED SKIPPED" of a jest report. A suite that did not load counts as one failure, and so does a jest
// that failed without naming a test.
const { readFileSync } = require('node:fs');

const [path, status] = process.argv.slice(2);
const report = JSON.parse(readFileSync(path, 'utf8'));
const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
const unnamed = failed === 0 && (status !== '0' || !report.success) ? 1 : 0;
console.log(report.numPassedTests, failed + unnamed, report.numPendingTests + report.numTodoTests);
