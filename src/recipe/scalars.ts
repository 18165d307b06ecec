/** One value of a parameter. Which words there are, the methods say. */
export type Scalar = number | boolean | string;

/** How MergeKit's YAML writes numbers: `1e-5`, which YAML 1.1 takes for a string, among them; Python's digit grouping too. */
const numeral = /^[+-]?(\d[\d_]*(\.[\d_]*)?|\.\d[\d_]*)(e[+-]?\d+)?$/i;

const words = new Map<string, boolean>([
  ...['true', 'yes', 'on', 't', 'y'].map((word) => [word, true] as const),
  ...['false', 'no', 'off', 'f', 'n'].map((word) => [word, false] as const),
]);

/** The number or boolean that a string stands for, or undefined when it is neither. */
export function readScalar(text: string): number | boolean | undefined {
  const trimmed = text.trim();
  if (numeral.test(trimmed)) return Number(trimmed.replaceAll('_', ''));
  return words.get(trimmed.toLowerCase());
}
