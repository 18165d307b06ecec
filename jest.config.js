/** TypeScript is stripped by swc, ESM throughout; `.js` specifiers find their `.ts` source through the resolver. */
const base = {
  rootDir: import.meta.dirname ?? new URL('.', import.meta.url).pathname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  resolver: '<rootDir>/test/support/resolver.cjs',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2023',
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  // Processes start and servers answer in it, on machines that do other things as well.
  testTimeout: 30_000,
};

export default {
  // Half of most tests is waiting: for a process, a server, a disk.
  maxWorkers: '100%',
  // The modules of a finished test file are never given back.
  workerIdleMemoryLimit: '1GB',
  reporters: ['default', '<rootDir>/test/support/skipped-reporter.cjs'],
  projects: [
    { ...base, displayName: 'unit', testMatch: ['<rootDir>/src/**/*.test.ts'] },
    {
      ...base,
      displayName: 'embedded',
      testMatch: ['<rootDir>/test/{api,cli,engine,golden,hostile,properties,examples}/**/*.test.ts'],
    },
    { ...base, displayName: 'integration', testMatch: ['<rootDir>/test/{integration,faults}/**/*.test.ts'] },
    { ...base, displayName: 'soak', testMatch: ['<rootDir>/test/soak/**/*.test.ts'] },
  ],
};
