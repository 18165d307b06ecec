import { z } from 'zod';
import { checkPath } from '../engine/index.js';
import { AppError } from '../errors.js';

/** As on the Hub, so that a model keeps its name when it is published; never `.` or `..`, which are folders. */
const name = '[A-Za-z0-9](?:[A-Za-z0-9_-]|\\.(?!\\.)){0,95}';
const namePattern = new RegExp(`^${name}$`);
const nameRule = 'must be letters, digits, single dots, dashes and underscores, 96 at most, a letter or digit first';

/** Not a number, which would be a version. */
const alias = '[A-Za-z][A-Za-z0-9._-]{0,63}';
const aliasRule = 'must be letters, digits, dots, dashes and underscores, 64 at most, a letter first';

const version = '[1-9][0-9]{0,8}';
const versionPattern = new RegExp(`^${version}$`);
const referencePattern = new RegExp(`^(${name})/(${name})(?:@(${version}|${alias}))?$`);

export const Namespace = z.string().regex(namePattern, nameRule).meta({ example: 'samples' });
export const ModelName = z.string().regex(namePattern, nameRule).meta({ example: 'base' });
/** A model without a version: `namespace/name`. */
export const NamedModel = z
  .string()
  .regex(new RegExp(`^${name}/${name}$`), 'must be namespace/name, such as team/my-model');
export const AliasName = z
  .string()
  .regex(new RegExp(`^${alias}$`), aliasRule)
  .meta({ example: 'production' });
export const VersionSelector = z
  .string()
  .regex(new RegExp(`^(?:${version}|${alias})$`), 'must be a version number or an alias')
  .describe('A version number, or an alias such as `latest`.')
  .meta({ example: 'latest' });

/** Moved by every completed version, and by nobody else. */
export const latestAlias = 'latest';

export function isVersionNumber(text: string): boolean {
  return versionPattern.test(text);
}

/** Where a version comes from, as users write it. @param repository `org/name` of the Hub, or `s3://bucket/prefix` */
export function sourceName(repository: string): string {
  return repository.startsWith('s3://') ? repository : `hf:${repository}`;
}

export interface ModelReference {
  namespace: string;
  name: string;
  /** A version number or an alias. */
  revision: string;
}

/**
 * Reads `namespace/name`, `namespace/name@3` or `namespace/name@alias`; without a revision it means `latest`.
 * @throws AppError reference_invalid, reference_not_supported
 */
export function parseReference(text: string): ModelReference {
  if (/^(?:hf|s3):/.test(text)) {
    const remedy = 'Import it first (POST /v1/imports), and name what that makes.';
    throw new AppError('reference_not_supported', `${shown(text)}: models are taken from the registry only. ${remedy}`);
  }
  const [, namespace, model, revision = latestAlias] = referencePattern.exec(text) ?? [];
  if (namespace !== undefined && model !== undefined) return { namespace, name: model, revision };
  const local = /^[./~]|\\/.test(text) ? ' Paths of this machine mean nothing to the service.' : '';
  throw new AppError(
    'reference_invalid',
    `${shown(text)} is not a model of the registry, such as team/model, team/model@3 or team/model@production.${local}`,
  );
}

const pickled = /\.(?:bin|pt|pth|ckpt|pkl|pickle|joblib)$/i;
const code = /\.(?:py|pyc|pyd|so|dll|exe|sh|bash|bat|cmd|ps1|js|mjs|cjs|ts|ipynb|jar|wasm)$/i;
const stored = /\.(?:safetensors|json|jsonl|txt|md|model|jinja|tiktoken|vocab|merges|yml|yaml)$/i;
const plainNames = /^(?:LICEN[CS]E|NOTICE|USE_POLICY|COPYING)$/i;
/** What every file system and every URL can hold. */
const portable = /^[A-Za-z0-9_+=@(][A-Za-z0-9._+=@() ,-]*$/;

/**
 * Checks the path of a file that is to be stored: where it may lie, and that it is of a kind that only holds data.
 * @throws EngineError file_path_invalid; AppError pickle, code and other kinds
 */
export function checkStoredPath(path: string): string {
  checkPath(path);
  const segments = path.split('/');
  if (segments.length > 8 || segments.some((part) => !portable.test(part) || /[. ]$/.test(part))) {
    throw new AppError(
      'file_path_invalid',
      `${shown(path)}: paths have letters, digits and . _ + = @ ( ) , - in at most eight parts, no part hidden.`,
    );
  }
  const name = segments.at(-1) ?? '';
  if (pickled.test(name)) {
    throw new AppError(
      'pickle_not_supported',
      `${shown(path)} is a pickle, a format that can run code: convert the weights to safetensors.`,
    );
  }
  if (code.test(name))
    throw new AppError('code_not_allowed', `${shown(path)} is a program; models here are data only.`);
  if (stored.test(name) || plainNames.test(name)) return path;
  throw new AppError(
    'file_not_allowed',
    `${shown(path)}: a model has safetensors, config, tokenizer, text and licence files.`,
  );
}

const mediaTypes: Record<string, string> = {
  json: 'application/json',
  jsonl: 'application/jsonl',
  md: 'text/markdown; charset=utf-8',
  yml: 'application/yaml',
  yaml: 'application/yaml',
  safetensors: 'application/vnd.safetensors',
  model: 'application/octet-stream',
};

/** Never HTML or script, so that a stored file can do nothing in a browser. */
export function mediaTypeOf(path: string): string {
  return mediaTypes[path.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'text/plain; charset=utf-8';
}

function shown(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 97)}...` : text);
}
