import type { FloatDtype } from '../../src/engine/checkpoint/dtype.js';
import type { MethodName } from '../../src/recipe/index.js';
import { type Cut, cutInto, meanCosine, nuslerpCut } from './reference-geometry.js';
import type { ReferenceCall } from './reference-call.js';
import type { ExpectedTensor } from './reference-merge.js';
import { dot } from './reference-methods.js';

const { fround, sqrt } = Math;

/** Whether an element of MergeKit's result is one that a row of the document speaks of. */
type IsKnown = (element: number, theirs: number, ours: number) => boolean;

/** A row of docs/methods-mergekit-differences.md that generated recipes come upon. */
interface KnownDifference {
  /** How its second column begins. */
  row: string;
  methods: readonly MethodName[];
  /** How far the results may lie apart, against the tensor's largest element. */
  relative?(cast: FloatDtype): number;
  elements?(tensor: ExpectedTensor): IsKnown | undefined;
}

const everywhere: IsKnown = () => true;
/** With 8 bits of precision the roundings of several steps add up to some per cent. */
const roundingOf = (cast: FloatDtype): number => (cast === 'BF16' ? 0.03 : cast === 'F16' ? 0.004 : 0);
const isNotANumber: IsKnown = (_element, theirs) => Number.isNaN(theirs);

export const knownDifferences: readonly KnownDifference[] = [
  {
    row: 'every step is rounded to the type that it computes in',
    methods: ['task_arithmetic', 'dare_linear', 'della_linear', 'nuslerp', 'multislerp', 'model_stock', 'nearswap'],
    relative: roundingOf,
  },
  {
    row: 'every step is rounded to the type that it computes in',
    methods: ['nearswap'],
    // The error of a weight is multiplied by the difference, of which the result may have hardly anything.
    elements: ({ cast, call }) => {
      const changes = vectorsOf(call)[0] ?? new Float64Array(0);
      return (element, theirs, ours) => Math.abs(theirs - ours) <= roundingOf(cast) * Math.abs(changes[element] ?? 0);
    },
  },
  {
    row: 'stops with an error at a tensor that three or more models share with the base; in f16',
    methods: ['multislerp'],
    // A vector of one element has no other direction than the mean.
    elements: ({ cast, call }) => {
      const hasNone = vectorsOf(call).some((vector) => vector.length === 1 || isZero(vector));
      return cast === 'F16' && hasNone ? isNotANumber : undefined;
    },
  },
  {
    row: '`nuslerp_row_wise` on a tensor of rank 3',
    methods: ['nuslerp'],
    elements: ({ call }) => (nuslerpCut(call) === 'column' && call.shape.length > 2 ? everywhere : undefined),
  },
  {
    row: 'the cosine of near opposites',
    methods: ['nuslerp'],
    // The error of a cosine is divided by the third power of the sine.
    elements: ({ call }) => inVectors(call, nuslerpCut(call), (vectors) => meanCosine(vectors) < -0.8),
  },
  {
    row: 'the cosine of directions that nearly cancel out',
    methods: ['model_stock'],
    // The error of a cosine is divided by the square of this.
    elements: ({ call, cast }) =>
      inVectors(call, call.global('filter_wise', 0) !== 0 ? 'row' : 'tensor', (vectors) => {
        return 1 + (vectors.length - 1) * meanCosine(vectors) < (cast === 'BF16' || cast === 'F16' ? 0.5 : 0.1);
      }),
  },
  {
    row: 'every step is rounded to the type that it computes in, the dot product',
    methods: ['karcher'],
    relative: (cast) => (cast === 'BF16' ? 0.2 : cast === 'F16' ? 0.03 : 0),
  },
  {
    row: 'directions that cancel out but for rounding',
    methods: ['multislerp'],
    elements: ({ call }) =>
      inVectors(call, 'tensor', (vectors) => {
        const weights = call.base.length > 0 ? call.ofModels('weight') : call.ofInputs('weight');
        return lengthOfMean(vectors, weights) < 1e-3;
      }),
  },
  {
    row: 'computes in float32 how many elements are selected',
    methods: ['sce'],
    elements: ({ call }) => {
      const share = call.global('select_topk', 1);
      const differing = countDiffering(vectorsOf(call));
      // One element more changes the shares too, and with them every other element.
      const isOther = Math.trunc(differing * share) !== Math.trunc(fround(differing * fround(share)));
      return share < 1 && isOther ? everywhere : undefined;
    },
  },
  {
    row: 'which of several elements of the last selected variance',
    methods: ['sce'],
    elements: ({ call, open, magnitude }) => {
      const selected = call.global('select_topk', 1) * countDiffering(vectorsOf(call));
      const limit = (0.05 * open.reduce((sum, is) => sum + is, 0) * Math.max(0, ...magnitude)) / Math.max(1, selected);
      return (_element, theirs, ours) => Math.abs(theirs - ours) <= limit;
    },
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

/** The elements of those vectors of which something is true. */
function inVectors(call: ReferenceCall, cut: Cut, isTrue: (vectors: Float64Array[]) => boolean): IsKnown {
  const all = vectorsOf(call);
  const known = new Set(
    cutInto(cut, all[0]?.length ?? 0, call.shape)
      .filter((indices) => isTrue(all.map((vector) => Float64Array.from(indices, (i) => vector[i] ?? 0))))
      .flat(),
  );
  return (element) => known.has(element);
}

function vectorsOf({ base, inputs, models }: ReferenceCall): Float64Array[] {
  if (base.length === 0) return [...inputs];
  return models.map((model) => model.map((x, i) => x - (base[i] ?? 0)));
}

function lengthOfMean(vectors: readonly Float64Array[], weights: readonly number[]): number {
  const norms = vectors.map((vector) => sqrt(dot(vector, vector)) || 1);
  const mean = (vectors[0] ?? new Float64Array(0)).map((_x, i) => {
    return vectors.reduce((sum, vector, k) => sum + ((weights[k] ?? 0) * (vector[i] ?? 0)) / (norms[k] ?? 1), 0);
  });
  return sqrt(dot(mean, mean));
}

/** Elements in which the models' changes are not all the same. */
function countDiffering([first = new Float64Array(0), ...others]: readonly Float64Array[]): number {
  return first.filter((x, i) => others.some((other) => other[i] !== x)).length;
}

function isZero(vector: Float64Array): boolean {
  return vector.every((value) => value === 0);
}
