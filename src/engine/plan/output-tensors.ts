import {
  isAfterLayers,
  isRecomputedBuffer,
  placeOf,
  tiedNames,
  type TensorPlace,
  withLayer,
} from '../architecture/tensor-place.js';
import type { Checkpoint, CheckpointTensor } from '../checkpoint/checkpoint.js';
import { EngineError, quote } from '../errors.js';
import type { DroppedTensor } from './merge-plan.js';
import { type Checkpoints, type OutputSlice, sliceFor, type SliceSource } from './slices.js';

/** One tensor of the result and what it is made from, before any parameter is looked at. */
export interface OutputTensorSources {
  name: string;
  slice: OutputSlice;
  /** `name` is what was asked for; a tied model may store it as another tensor. */
  sources: { source: SliceSource; name: string; tensor: CheckpointTensor }[];
  /** Position of the layer in its slice, from 0 to 1; 0 outside the layers. */
  t: number;
  /** Position of the layer among all of the result, from 0 to 1; 0 outside the layers, and of the only one. */
  depth: number;
}

export interface TensorList {
  tensors: OutputTensorSources[];
  dropped: Omit<DroppedTensor, 'input'>[];
  /** For every layer of the result the layer whose configuration it has, the base's where it is a source; absent without slices. */
  layers?: { reference: string; layer: number }[];
}

/**
 * The tensors of the result, from the checkpoints themselves: whatever the family, whatever a source holds is merged,
 * copied, or missed loudly.
 * @throws EngineError tensor_missing
 */
export function listTensors(slices: readonly OutputSlice[], checkpoints: Checkpoints): TensorList {
  const first = slices[0];
  if (first === undefined) return { tensors: [], dropped: [] };
  if (first.sources.every(({ layers }) => layers === undefined)) return wholeModels(first, checkpoints);
  return stackedSlices(slices, checkpoints);
}

function wholeModels(slice: OutputSlice, checkpoints: Checkpoints): TensorList {
  const names = unionOfNames(slice, ({ reference }) => checkpointOf(checkpoints, reference).tensors.keys());
  const places = names.map(placeOf);
  const depths = new Map<string, number>();
  for (const place of places) {
    if (place.layer === undefined || place.stack === undefined) continue;
    depths.set(place.stack, Math.max(depths.get(place.stack) ?? 0, place.layer + 1));
  }
  const dropped: TensorList['dropped'] = [];
  const tensors = places.flatMap((place): OutputTensorSources[] => {
    const { name } = place;
    const t = place.layer === undefined ? 0 : position(place.layer, depths.get(place.stack ?? '') ?? 1);
    const own = sliceFor(slice, name);
    const sources = gather(own, checkpoints, () => name, name, dropped);
    const depth = place.layer === undefined ? 0 : depthOf(place.layer, depths.get(place.stack ?? '') ?? 1);
    return sources === undefined ? [] : [{ name, slice: own, sources, t, depth }];
  });
  return { tensors, dropped };
}

function stackedSlices(slices: readonly OutputSlice[], checkpoints: Checkpoints): TensorList {
  const dropped: TensorList['dropped'] = [];
  const tensors: OutputTensorSources[] = [];
  const layers: NonNullable<TensorList['layers']> = [];
  const ends = { before: slices[0], after: slices.at(-1) };
  const loose = (slice: OutputSlice | undefined, after: boolean): void => {
    if (slice === undefined) return;
    const names = unionOfNames(slice, ({ reference }) =>
      placesOf(checkpointOf(checkpoints, reference), undefined)
        .filter((place) => isAfterLayers(place) === after)
        .map((place) => place.name),
    );
    for (const name of names) {
      const own = sliceFor(slice, name);
      const sources = gather(own, checkpoints, () => name, name, dropped);
      if (sources !== undefined) tensors.push({ name, slice: own, sources, t: 0, depth: 0 });
    }
  };
  loose(ends.before, false);
  const total = slices.reduce((sum, { sources }) => sum + layersOf(sources[0]), 0);
  for (const slice of slices) {
    const own = layersOf(slice.sources[0]);
    for (let at = 0; at < own; at++) {
      const layer = layers.length;
      const place = { t: position(at, own), depth: depthOf(layer, total) };
      tensors.push(...sliceLayer(slice, checkpoints, at, layer, place, dropped));
      const base = slice.sources.find(({ reference }) => reference === slice.base) ?? slice.sources[0];
      layers.push({ reference: base?.reference ?? '', layer: (base?.layers?.[0] ?? 0) + at });
    }
  }
  loose(ends.after, true);
  return { tensors, dropped, layers };
}

/** Layer `at` of a slice, which becomes layer `layer` of the result. */
function sliceLayer(
  slice: OutputSlice,
  checkpoints: Checkpoints,
  at: number,
  layer: number,
  place: Pick<OutputTensorSources, 't' | 'depth'>,
  dropped: TensorList['dropped'],
): OutputTensorSources[] {
  const own = (source: SliceSource): number => (source.layers?.[0] ?? 0) + at;
  const names = unionOfNames(slice, (source) =>
    placesOf(checkpointOf(checkpoints, source.reference), own(source)).map((place) => withLayer(place, layer)),
  );
  return names.flatMap((name): OutputTensorSources[] => {
    const named = placeOf(name);
    const forTensor = sliceFor(slice, name);
    const sources = gather(forTensor, checkpoints, (source) => withLayer(named, own(source)), name, dropped);
    return sources === undefined ? [] : [{ name, slice: forTensor, sources, ...place }];
  });
}

function layersOf(source: SliceSource | undefined): number {
  const [begin, end] = source?.layers ?? [0, 0];
  return end - begin;
}

function depthOf(layer: number, total: number): number {
  return total === 1 ? 0 : layer / (total - 1);
}

/** Where a layer stands in its slice; the only layer of a slice stands at its end, as in MergeKit. */
function position(layer: number, depth: number): number {
  return depth === 1 ? 1 : layer / (depth - 1);
}

/** Names in the order of the base (else the first source), then what only later sources have. */
function unionOfNames(slice: OutputSlice, namesOf: (source: SliceSource) => Iterable<string>): string[] {
  const isBase = ({ reference }: SliceSource): number => Number(reference === slice.base);
  const inOrder = [...slice.sources].sort((a, b) => isBase(b) - isBase(a));
  return [...new Set(inOrder.flatMap((source) => [...namesOf(source)]))];
}

/** Places by layer (-1: outside the layers): a lookup a layer, not a scan, or 20,000 expert tensors would cost minutes. */
const placesByCheckpoint = new WeakMap<Checkpoint, Map<number, TensorPlace[]>>();

function placesOf(checkpoint: Checkpoint, layer: number | undefined): readonly TensorPlace[] {
  let byLayer = placesByCheckpoint.get(checkpoint);
  if (byLayer === undefined) {
    byLayer = new Map<number, TensorPlace[]>();
    for (const name of checkpoint.tensors.keys()) {
      const place = placeOf(name);
      const key = place.layer ?? -1;
      const places = byLayer.get(key);
      if (places === undefined) byLayer.set(key, [place]);
      else places.push(place);
    }
    placesByCheckpoint.set(checkpoint, byLayer);
  }
  return byLayer.get(layer ?? -1) ?? [];
}

/**
 * The sources' tensors for one output tensor; undefined when it is left out because every loader computes it again.
 * @throws EngineError tensor_missing
 */
function gather(
  slice: OutputSlice,
  checkpoints: Checkpoints,
  inputName: (source: SliceSource) => string,
  outputName: string,
  dropped: TensorList['dropped'],
): OutputTensorSources['sources'] | undefined {
  const found = slice.sources.map((source) => {
    const checkpoint = checkpointOf(checkpoints, source.reference);
    const name = inputName(source);
    return { source, name, tensor: findTensor(checkpoint, name) };
  });
  const missing = found.find(({ tensor }) => tensor === undefined);
  if (missing === undefined) return found as OutputTensorSources['sources'];
  if (isRecomputedBuffer(outputName)) {
    for (const { tensor } of found) {
      if (tensor)
        dropped.push({ tensor: tensor.name, reason: 'not in every model, and computed again by every loader' });
    }
    return undefined;
  }
  const message = `${missing.source.reference} has no tensor ${quote(missing.name)}, which other models of the merge have`;
  throw new EngineError('tensor_missing', message, { pointer: slice.pointer, tensor: outputName });
}

/** The tensor of that name, or the matrix that a tied model stores under another one. */
function findTensor(checkpoint: Checkpoint, name: string): CheckpointTensor | undefined {
  const own = checkpoint.tensors.get(name);
  if (own !== undefined) return own;
  const tied = tiedNames(name).find((candidate) => checkpoint.tensors.has(candidate));
  return tied === undefined ? undefined : checkpoint.tensors.get(tied);
}

export function checkpointOf(checkpoints: Checkpoints, reference: string): Checkpoint {
  const checkpoint = checkpoints.get(reference);
  if (checkpoint === undefined)
    throw new EngineError('weights_missing', `no checkpoint was given for ${quote(reference)}`);
  return checkpoint;
}
