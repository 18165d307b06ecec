import {
  EVENT_ID,
  type Event,
  NOT_RESOLVED,
  Schema,
  YAMLException,
  constructFromEvents,
  defineScalarTag,
  floatYaml11Tag,
  intYaml11Tag,
  mapTag,
  mergeTag,
  nullYaml11Tag,
  parseEvents,
  seqTag,
  strTag,
} from 'js-yaml';
import { RecipeError } from './errors.js';
import { depthLimit, documentsLimit, membersLimit, nodesLimit, textBytesLimit } from './limits.js';
import { type FindPosition, NodePositions, TextLines } from './positions.js';

/** One document of a YAML text, as plain data. */
export interface YamlDocument {
  value: unknown;
  findPosition: FindPosition;
}

// PyYAML's words; YAML 1.1 has `y` and `n` too, which nobody means as booleans.
const trueWords = ['yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'];
const falseWords = ['no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'];

const boolTag = defineScalarTag<boolean>('tag:yaml.org,2002:bool', {
  implicit: true,
  implicitFirstChars: [...'yYnNtTfFoO'],
  resolve: (source) => (trueWords.includes(source) ? true : falseWords.includes(source) ? false : NOT_RESOLVED),
  identify: (data) => typeof data === 'boolean',
});

// What PyYAML's safe loader makes of plain scalars, without the types that no recipe has (dates, sets, binary): their explicit
// tags are refused like any other.
const recipeYaml = new Schema([strTag, seqTag, mapTag, nullYaml11Tag, boolTag, intYaml11Tag, floatYaml11Tag, mergeTag]);

/**
 * Reads a YAML text (1.1, as PyYAML does), every document of it.
 * @throws RecipeError when it is not YAML, names a key twice, or is larger or deeper than a recipe can be.
 */
export function parseYaml(source: string): YamlDocument[] {
  const written = source.startsWith('\ufeff') ? source.slice(1) : source;
  checkText(written, new TextLines(written));
  const { events, text, lines } = readEvents(written);
  countNodes(events, text, lines);
  const positions = new NodePositions(events, text, lines);
  try {
    return constructFromEvents([...events], { source: text, schema: recipeYaml, maxTotalMergeKeys: nodesLimit }).map(
      (value, document): YamlDocument => ({
        value,
        findPosition: (path, what) => positions.find(document, path, what),
      }),
    );
  } catch (error) {
    throw translate(error, lines, (offset) => positions.pointerOfKey(offset));
  }
}

function checkText(text: string, lines: TextLines): void {
  if (new TextEncoder().encode(text).length > textBytesLimit) {
    throw refusal('recipe_too_large', `A recipe has at most ${textBytesLimit} bytes.`, lines, 0);
  }
  const loneSurrogate = text.search(/\p{Surrogate}/u);
  if (loneSurrogate >= 0) throw refusal('invalid_text', 'The text is not valid Unicode here.', lines, loneSurrogate);
  // Ten thousand empty documents cost more to read than to count.
  const markers = text.match(/^(---|\.\.\.)(?=\s|$)/gm)?.length ?? 0;
  if (markers > 2 * documentsLimit) throw tooManyDocuments(lines);
}

/** More spaces than a recipe is ever indented by. */
const deepIndent = ' '.repeat(100);

/** Characters that repairs may read again: a short recipe may need many of them, a long one is not worth it. */
const repairCharacters = 128 * 1024;

/**
 * The text's events. Lines within brackets or quotes may begin further left than YAML allows (a closing bracket below its key
 * is common): PyYAML takes them, and spaces before them mean nothing, so they are put there.
 */
function readEvents(written: string): { events: readonly Event[]; text: string; lines: TextLines } {
  let text = written;
  const inserted = new Map<number, number>();
  for (let readAgain = text.length; ; readAgain += text.length) {
    const lines = new TextLines(text, inserted);
    try {
      return { events: parseEvents(text, { maxDepth: depthLimit }), text, lines };
    } catch (error) {
      const repairable = error instanceof YAMLException && error.reason === 'deficient indentation';
      if (!repairable || readAgain > repairCharacters) throw translate(error, lines);
      const { line, start } = lines.lineAt(error.mark?.position ?? 0);
      if (inserted.has(line)) throw translate(error, lines);
      inserted.set(line, deepIndent.length);
      text = text.slice(0, start) + deepIndent + text.slice(start);
    }
  }
}

/** Refuses a text whose aliases, written out, make more values than a recipe can have, before anything walks over them. */
function countNodes(events: readonly Event[], text: string, lines: TextLines): void {
  const sizes = new Map<string, number>();
  const open: { nodes: number; members: number; anchor: string | undefined }[] = [];
  let total = 0;
  let documents = 0;
  const add = (nodes: number, offset: number): void => {
    for (const frame of open) frame.nodes += nodes;
    total += nodes;
    const parent = open.at(-1);
    if (parent !== undefined) parent.members += 1;
    // Keys are members of their mapping too.
    if (total <= nodesLimit && (parent?.members ?? 0) <= 2 * membersLimit) return;
    const message = `A recipe has at most ${nodesLimit} values, aliases written out, and ${membersLimit} members of one list or mapping.`;
    throw refusal('recipe_too_large', message, lines, offset);
  };
  for (const event of events) {
    if (event.type === EVENT_ID.POP) {
      const frame = open.pop();
      if (frame?.anchor !== undefined) sizes.set(frame.anchor, frame.nodes);
    } else if (event.type === EVENT_ID.DOCUMENT) {
      documents += 1;
      if (documents > documentsLimit) throw tooManyDocuments(lines);
      sizes.clear();
      open.push({ nodes: 0, members: 0, anchor: undefined });
    } else if (event.type === EVENT_ID.ALIAS) {
      const anchor = text.slice(event.anchorStart, event.anchorEnd);
      if (open.some((frame) => frame.anchor === anchor)) {
        const message = `The alias “${anchor.slice(0, 60)}” stands inside what it names.`;
        throw refusal('yaml_alias', message, lines, event.anchorStart);
      }
      add(sizes.get(anchor) ?? 1, event.anchorStart);
    } else {
      const anchor = event.anchorStart < 0 ? undefined : text.slice(event.anchorStart, event.anchorEnd);
      const offset = event.type === EVENT_ID.SCALAR ? event.valueStart : event.start;
      add(1, Math.max(offset, 0));
      if (event.type !== EVENT_ID.SCALAR) open.push({ nodes: 1, members: 0, anchor });
      else if (anchor !== undefined) sizes.set(anchor, 1);
    }
  }
}

const reasons: readonly [RegExp, string, string?][] = [
  [/^duplicated mapping key/, 'duplicate_key', 'This key is already given above; keep one of them.'],
  [/maxDepth/, 'recipe_too_deep', `A recipe nests at most ${depthLimit} levels.`],
  [/tag/, 'yaml_tag'],
  [/alias|anchor/, 'yaml_alias'],
  [/null byte|non-printable/, 'invalid_text'],
  [/complex keys/, 'yaml_key', 'A key must be plain text.'],
  [/merge/, 'yaml_merge'],
];

function translate(error: unknown, lines: TextLines, findPointer?: (offset: number) => string | undefined): unknown {
  if (!(error instanceof YAMLException)) return error;
  const offset = error.mark?.position ?? 0;
  const known = reasons.find(([pattern]) => pattern.test(error.reason));
  const message = known?.[2] ?? `The YAML cannot be read here: ${error.reason.slice(0, 200)}.`;
  return refusal(known?.[1] ?? 'yaml_syntax', message, lines, offset, findPointer?.(offset));
}

function tooManyDocuments(lines: TextLines): RecipeError {
  return refusal('recipe_too_large', `A recipe has at most ${documentsLimit} documents.`, lines, 0);
}

function refusal(code: string, message: string, lines: TextLines, offset: number, pointer = ''): RecipeError {
  return new RecipeError([{ severity: 'error', code, message, pointer, ...lines.positionOf(offset) }]);
}
