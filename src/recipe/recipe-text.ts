import { dump } from 'js-yaml';

/** As people write recipes; what is not named here follows in the order of the alphabet. */
const keyOrder = [
  'name',
  'merge_method',
  'base_model',
  'models',
  'slices',
  'sources',
  'model',
  'layer_range',
  'overrides',
  'parameters',
  'coefficients',
];

/** A canonical recipe as YAML: equal recipes give equal bytes. */
export function recipeText(canonical: object): string {
  return dump(canonical, { lineWidth: -1, noRefs: true, sortKeys: (a: string, b: string) => compareKeys(a, b) });
}

function compareKeys(a: string, b: string): number {
  const rank = (key: string): number => (keyOrder.includes(key) ? keyOrder.indexOf(key) : keyOrder.length);
  return rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0);
}
