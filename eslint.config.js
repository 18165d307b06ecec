import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { transactionManagerOnly } from './lint/transaction-manager-only.js';

const tests = ['test/**/*.ts', 'src/**/*.test.ts'];

const environment = {
  object: 'process',
  property: 'env',
  message: 'Settings are read once, in src/config.ts; take them as values.',
};

const environmentImport = { name: 'node:process', importNames: ['env'], message: environment.message };

/** The limits around it are what makes hostile YAML harmless. */
const yamlImports = [
  { name: 'js-yaml', importNames: ['load', 'loadAll', 'default'], message: 'Hand the text to parseRecipe.' },
  { name: 'yaml', message: 'Two kilobytes of brackets abort the process on Node 20; use parseRecipe.' },
];

/** V8's transcendental functions differ between releases; the same merge must give the same bytes on all of them. */
const inexact = 'acos asin atan atan2 cbrt cos cosh exp expm1 hypot log log1p log2 log10 pow random sin sinh tan tanh'
  .split(' ')
  .map((property) => ({ object: 'Math', property, message: 'Results must not differ: use the kernel’s function.' }));

const clock = {
  object: 'Date',
  property: 'now',
  message: 'The engine and recipes have no clock: same input, same output.',
};

export default defineConfig(
  { ignores: ['dist/', 'coverage/', 'data/', 'samples/', 'src/engine/kernels/assembly/'] },
  js.configs.recommended,
  {
    files: ['**/*.{js,cjs}'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly', Buffer: 'readonly' } },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: { module: 'writable', require: 'readonly' } },
  },
  {
    files: ['src/**/*.ts', 'test/**/*.ts', 'migrations/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    plugins: { amalgam: { rules: { 'transaction-manager-only': transactionManagerOnly } } },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'amalgam/transaction-manager-only': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      complexity: ['error', { max: 15, variant: 'modified' }],
      'max-depth': ['error', 3],
      'max-lines': ['error', 400],
      'max-params': ['error', 6],
      'no-restricted-properties': ['error', environment],
      'no-restricted-imports': ['error', { paths: [environmentImport, ...yamlImports] }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Numbers read well in a sentence, and `() => stop()` says that nothing is returned.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // Nest's modules are classes with nothing but a decorator.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      // Rows are classes only because TypeORM wants them: a plain object with the same fields is one.
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
    },
  },
  {
    files: ['src/recipe/**/*.ts', ...tests],
    rules: { 'no-restricted-imports': ['error', { paths: [environmentImport] }] },
  },
  { files: ['src/config.ts', 'test/support/**', 'test/bench/**'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['src/engine/**/*.ts', 'src/recipe/**/*.ts'],
    // The scalar twins of the kernels are what tests compare with; they never compute a result.
    ignores: [...tests, 'src/engine/execution/**', 'src/engine/kernels/scalar*.ts'],
    rules: { 'no-restricted-properties': ['error', environment, clock, ...inexact] },
  },
  {
    files: ['src/engine/execution/**/*.ts'],
    rules: { 'no-restricted-properties': ['error', environment, ...inexact] },
  },
  {
    // Exports of a WebAssembly instance have no `this`, and take what a machine word can hold.
    files: ['src/engine/**/*.ts'],
    rules: { '@typescript-eslint/unbound-method': 'off' },
  },
  { files: ['src/engine/kernels/*.ts'], rules: { 'max-params': ['error', 8] } },
  { files: ['**/*.d.ts'], rules: { '@typescript-eslint/no-extraneous-class': 'off' } },
  {
    files: tests,
    rules: {
      'max-lines': ['error', 600],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
