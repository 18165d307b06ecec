import type { FloatDtype } from '../../src/engine/checkpoint/dtype.js';
import type { MethodName } from '../../src/recipe/index.js';
import type { ReferenceCall } from './reference-call.js';
import type { ExpectedTensor } from './reference-merge.js';

/** Whether an element of MergeKit's result is one that a row of the document speaks of. */
type IsKnown = (element: number, theirs: number) => boolean;

/** A row of docs/methods-mergekit-differences.md that generated recipes come upon. */
interface KnownDifference {
  /** How its second column begins. */
  row: string;
  methods: readonly MethodName[];
  /** How far the results may lie apart, against the tensor's largest element. */
  relative?(cast: FloatDtype): number;
  elements?(tensor: ExpectedTensor): IsKnown | undefined;
}

const isNotANumber: IsKnown = (_element, theirs) => Number.isNaN(theirs);

export const knownDifferences: readonly KnownDifference[] = [
  {
    row: 'every step is rounded to the type that it computes in',
    methods: [
      'task_arithmetic',
      'dare_linear',
      'della_linear',
      'nuslerp',
      'multislerp',
      'karcher',
      'model_stock',
      'nearswap',
    ],
    // With 8 bits of precision the steps add up to some per cent.
    relative: (cast) => (cast === 'BF16' ? 0.03 : cast === 'F16' ? 0.004 : 0),
  },
  {
    row: 'stops with an error at a tensor that three or more models share with the base; in f16',
    methods: ['multislerp'],
    elements: ({ cast, call }) => (cast === 'F16' && vectorsOf(call).some(isZero) ? isNotANumber : undefined),
  },
];

export function knownElements(method: MethodName, tensor: ExpectedTensor): IsKnown[] {
  return knownDifferences.flatMap(({ methods, elements }) => {
    const isKnown = methods.includes(method) ? elements?.(tensor) : undefined;
    return isKnown === undefined ? [] : [isKnown];
  });
}

export function knownRounding(method: MethodName, cast: FloatDtype): number {
  const known = knownDifferences.filter(({ methods }) => methods.includes(method));
  return Math.max(0, ...known.map(({ relative }) => relative?.(cast) ?? 0));
}

function vectorsOf({ base, inputs, models }: ReferenceCall): Float64Array[] {
  if (base.length === 0) return [...inputs];
  return models.map((model) => model.map((x, i) => x - (base[i] ?? 0)));
}

function isZero(vector: Float64Array): boolean {
  return vector.every((value) => value === 0);
}
