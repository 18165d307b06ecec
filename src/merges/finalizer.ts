import { Inject, Injectable } from '@nestjs/common';
import { heatMap } from '../cards/heat-map.js';
import { renderModelCard, sharedFacts } from '../cards/model-card.js';
import { planFacts } from '../cards/plan-facts.js';
import { REPORT_PICTURE } from '../cards/report-section.js';
import { formatReport, type MergeReport, mergeReport, REPORT_FILE, type TensorReport } from '../engine/index.js';
import { readModelCard } from '../licences/licence-reading.js';
import { LineageService } from '../lineage/lineage.service.js';
import { objectFiles } from '../models/object-files.js';
import type { StoredFile } from '../models/versions.service.js';
import { OBJECT_STORE } from '../platform/tokens.js';
import { type MethodName, recipeText } from '../recipe/index.js';
import { writeObject } from '../storage/content.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { FinalClaim } from './finalizations.js';
import type { PinnedInput } from './merges.schema.js';
import { mergePrefix } from './shard-runner.js';
import type { StoredMerge } from './stored-merges.js';

const recipeFile = 'amalgam-recipe.yaml';
const cardFile = 'README.md';

/** Writes what a version has beside its weights. Nothing of it is visible before the version is. */
@Injectable()
export class Finalizer {
  constructor(
    private readonly lineage: LineageService,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
  ) {}

  /** All files of the version, stored. The same merge gives the same bytes, whoever does this and how often. */
  async writeFiles(
    claim: FinalClaim,
    merge: StoredMerge,
    shards: readonly StoredFile[],
    reports: readonly TensorReport[],
  ): Promise<StoredFile[]> {
    const { plan, summary } = merge;
    const names = summary.inputs.map(({ version }) => version);
    const report = plan.report === 'none' ? undefined : mergeReport(plan.report, names, reports);
    const files = [...shards, ...copiedFiles(merge)];
    const texts: [string, string][] = [[recipeFile, recipeText(merge.pinnedRecipe)]];
    if (plan.configText !== undefined) texts.push(['config.json', plan.configText]);
    if (plan.index !== undefined) texts.push(['model.safetensors.index.json', plan.index]);
    if (report) texts.push([REPORT_FILE, formatReport(report)], [REPORT_PICTURE, heatMap(report)]);
    for (const [path, text] of texts) files.push(await this.#write(claim, path, text));
    files.sort((a, b) => (a.path < b.path ? -1 : 1));
    files.push(await this.#write(claim, cardFile, await this.#card(merge, files, report)));
    return files;
  }

  async #write({ mergeId, attempt }: FinalClaim, path: string, text: string): Promise<StoredFile> {
    const objectKey = `${mergePrefix(mergeId)}final-${attempt}/${path}`;
    const content = await writeObject(this.store, objectKey, oneChunk(Buffer.from(text)));
    return { path, ...content, objectKey };
  }

  async #card(merge: StoredMerge, files: readonly StoredFile[], report: MergeReport | undefined): Promise<string> {
    const { plan, summary, pinnedRecipe } = merge;
    const cards = merge.files.map((each) => readModelCard(objectFiles(this.store, [...each.values()])));
    return renderModelCard({
      ...planFacts(summary.method as MethodName, plan),
      inputs: summary.inputs.map(cardInput),
      recipe: recipeText(pinnedRecipe),
      dtype: summary.dtype,
      ...(summary.architecture !== null && { architecture: summary.architecture }),
      files,
      ...(report && { report }),
      ...(summary.licence && { licence: summary.licence }),
      ...sharedFacts(await Promise.all(cards)),
      lineage: await this.lineage.pictureOfParents(
        'this model',
        summary.inputs.map(({ versionId, role }) => ({ versionId, role })),
      ),
    });
  }
}

function copiedFiles({ plan, files }: StoredMerge): StoredFile[] {
  return plan.copies.map(({ input, path }) => {
    const file = files[input]?.get(path);
    if (!file) throw new Error(`input ${input} has no ${path}`);
    return file;
  });
}

/** What came from the Hub has its name there; what did not, may get the same one when it is published. */
function cardInput({ version, role, digest, licence, source = null }: PinnedInput) {
  const repository = (source?.replace(/^hf:/, '') ?? version).split('@')[0] ?? version;
  return {
    ...{ name: version, role, repository, digest },
    ...(licence !== null && { licence }),
    ...(source !== null && { source }),
  };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
