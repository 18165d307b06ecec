/** A model as a recipe names it, taken apart. */
export interface ModelReference {
  /** Directory, `namespace/name`, or URL-like name; never empty. */
  model: string;
  revision?: string;
  /** An adapter that is applied to the model before it is merged. */
  lora?: { model: string; revision?: string };
}

/** Why a text is no model reference; the caller knows where it stands. */
export class ModelReferenceError extends Error {
  readonly code = 'invalid_model_reference';
}

// A line break or NUL in a name never comes from a person, and would split log lines and file lists.
// eslint-disable-next-line no-control-regex
const controlCharacter = /[\u0000-\u001f\u007f]/;

/**
 * Takes `MODEL[@REVISION][+LORA[@REVISION]]` apart, the way MergeKit does.
 * @throws ModelReferenceError on an empty part, more than one `+`, or more than one `@` in a part.
 */
export function parseModelReference(text: string): ModelReference {
  if (controlCharacter.test(text)) {
    throw new ModelReferenceError('A model reference may not contain control characters.');
  }
  const [base = '', lora, ...rest] = text.split('+');
  if (rest.length > 0)
    throw new ModelReferenceError(`“${text}” has more than one “+”; one adapter a model is possible.`);
  const reference: ModelReference = parsePart(base, text);
  if (lora !== undefined) reference.lora = parsePart(lora, text);
  return reference;
}

function parsePart(part: string, whole: string): { model: string; revision?: string } {
  const [model = '', revision, ...rest] = part.split('@');
  if (rest.length > 0) throw new ModelReferenceError(`“${whole}” has more than one “@” in one model’s name.`);
  if (model === '') throw new ModelReferenceError(`“${whole}” names no model.`);
  if (revision === '') throw new ModelReferenceError(`“${whole}” has nothing after its “@”.`);
  return revision === undefined ? { model } : { model, revision };
}

/** The text that `parseModelReference` takes apart into the same reference. */
export function formatModelReference(reference: ModelReference): string {
  const part = (model: string, revision?: string): string => (revision === undefined ? model : `${model}@${revision}`);
  const { model, revision, lora } = reference;
  return part(model, revision) + (lora ? `+${part(lora.model, lora.revision)}` : '');
}
