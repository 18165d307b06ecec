import { checkRecipe } from './checks.js';
import { RecipeError, type RecipeIssue } from './errors.js';
import { unsupportedParts } from './executable.js';
import { IssueList } from './issue-list.js';
import { isMapping, keepKnownKeys } from './keys.js';
import { withoutDuplicates } from './duplicates.js';
import { parseYaml, type YamlDocument } from './parse.js';
import { checkPlainData } from './plain-data.js';
import { expandPreset } from './presets.js';
import { Recipe } from './schema.js';
import { orderStages, type Stage, type StageDocument } from './stages.js';
import { addSchemaIssues } from './schema-issues.js';
import { withTypedParameters } from './settings.js';

export interface ParseOptions {
  /** Near misses of names and models that are named twice become warnings, and mean what they mean to MergeKit. Default false. */
  lenient?: boolean;
  /** Refuse, with line and column, what this version does not carry out, instead of warning. Default false. */
  executable?: boolean;
}

export interface ParsedRecipe {
  recipe: Recipe;
  /** The recipes of the text in the order in which they are carried out, `recipe` last. */
  stages: Stage[];
  warnings: RecipeIssue[];
  /** The text has a preset: the recipe that it stands for is not in it. */
  fromPreset: boolean;
}

/**
 * Reads and checks a recipe: YAML text, or the value of a JSON body. Several YAML documents make one recipe: the result's,
 * with those whose results it needs as `stages`; pointers then begin with the document's index.
 * @throws RecipeError with every error that was found (and the warnings beside them).
 */
export function parseRecipe(input: unknown, options: ParseOptions = {}): ParsedRecipe {
  const documents = typeof input === 'string' ? parseYaml(input) : [{ value: input, findPosition: () => undefined }];
  const written = documents.filter(({ value }) => value !== null);
  if (written.length === 0) {
    const position = documents.length === 0 ? { line: 1, column: 1 } : documents[0]?.findPosition([], 'value');
    throw new RecipeError([
      { severity: 'error', code: 'empty_recipe', message: 'The recipe is empty.', pointer: '', ...position },
    ]);
  }
  const several = written.length > 1;
  const lists = written.map(({ findPosition }, index) => {
    return new IssueList(findPosition, options.lenient ?? false, several ? [index] : []);
  });
  const read = written.flatMap((document, index): StageDocument[] => {
    const issues = lists[index];
    if (issues === undefined) return [];
    const recipe = readDocument(several ? withStageName(document) : document, issues, options);
    return recipe === undefined ? [] : [{ recipe, document: index, issues }];
  });
  // Without one of them nobody knows what the others mean by its name.
  const isWhole = read.length === written.length;
  const stages = several && isWhole ? orderStages(read) : read.map(aloneStage);
  const issues: RecipeIssue[] = lists.flatMap((list) => list.issues);
  const recipe = stages.at(-1)?.recipe;
  const fromPreset = written.some(({ value }) => isMapping(value) && value['preset'] !== undefined);
  issues.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  if (recipe === undefined || issues.some((issue) => issue.severity === 'error')) throw new RecipeError(issues);
  return {
    recipe: several ? { ...recipe, stages: stages.slice(0, -1).map((stage) => stage.recipe) } : recipe,
    stages,
    warnings: issues,
    fromPreset,
  };
}

function readDocument({ value }: YamlDocument, issues: IssueList, options: ParseOptions): Recipe | undefined {
  checkPlainData(value, issues);
  if (issues.hasErrors) return undefined;
  if (!isMapping(value)) {
    issues.error('not_a_mapping', [], 'A recipe is a mapping with merge_method and models (or slices).');
    return undefined;
  }
  if (isOfOtherTool(value, issues)) return undefined;
  const expanded = expandPreset(value, issues);
  if (expanded === undefined) return undefined;
  const parsed = Recipe.safeParse(keepKnownKeys(expanded, issues));
  if (!parsed.success) {
    addSchemaIssues(parsed.error.issues, expanded, issues);
    return undefined;
  }
  const typed = withTypedParameters(parsed.data, issues);
  checkRecipe(typed, issues);
  noteOwnExtensions(typed, issues);
  for (const { code, path, message } of unsupportedParts(typed)) {
    if (options.executable) issues.error(code, path, message);
    else issues.warn(code, path, message);
  }
  return options.lenient ? withoutDuplicates(typed) : typed;
}

/** Where MergeKit takes the same text, and does something else with it. */
function noteOwnExtensions({ slices, overrides }: Recipe, issues: IssueList): void {
  slices?.forEach((slice, index) => {
    if (slice.merge_method === undefined) return;
    const message = `This slice is merged by ${slice.merge_method}. MergeKit ignores it and uses the recipe’s method.`;
    issues.warn('beyond_mergekit', ['slices', index, 'merge_method'], message, 'key');
  });
  if (overrides?.length) {
    issues.warn('beyond_mergekit', ['overrides'], 'MergeKit ignores overrides and merges all tensors alike.', 'key');
  }
}

/** MergeKit's other tools have files that look alike; nothing in them is a recipe of this kind. */
function isOfOtherTool(value: Readonly<Record<string, unknown>>, issues: IssueList): boolean {
  if (['models', 'slices', 'modules'].some((key) => Object.hasOwn(value, key))) return false;
  const signs: readonly [string, string][] = [
    ['experts', 'mergekit-moe, which builds a mixture of experts'],
    ['gate_mode', 'mergekit-moe, which builds a mixture of experts'],
    ['genome', 'mergekit-evolve, which searches for a recipe'],
  ];
  const sign = signs.find(([key]) => Object.hasOwn(value, key));
  if (sign !== undefined)
    issues.error('other_tool', [sign[0]], `This is a file of ${sign[1]}; it is not a merge recipe.`, 'key');
  return sign !== undefined;
}

/** MergeKit's first files of several recipes told them apart by where each was written. */
function withStageName(document: YamlDocument): YamlDocument {
  const { value } = document;
  if (!isMapping(value) || (value['name'] ?? null) !== null || typeof value['out_path'] !== 'string') return document;
  const { out_path: name, ...rest } = value;
  return { ...document, value: { ...rest, name } };
}

function aloneStage({ recipe, document }: StageDocument): Stage {
  return { recipe, document, uses: [] };
}
