import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Lineage } from '../lineage/lineage.schema.js';
import type { Merge, Plan } from '../merges/merges.schema.js';
import type { Version } from '../models/models.schema.js';
import type { ApiClient } from './api-client.js';
import { type DemoHub, showImport, showPublication } from './demo-hub.js';
import { showMerge } from './demo-merge.js';
import { type DemoMerge, demoMerges } from './demo-recipes.js';
import type { DemoScreen } from './demo-screen.js';
import { formatBytes, formatCount, plural } from './format.js';
import { lineageTree } from './lineage-tree.js';
import { pull } from './pull.js';

/** What the demonstration shows, against a service that is there. */
export class DemoTour {
  constructor(
    private readonly client: ApiClient,
    private readonly screen: DemoScreen,
    /** Folder that gets the merged models. */
    private readonly results: string,
    private readonly signal: AbortSignal,
  ) {}

  /** @param hub undefined: nothing is published @returns the last of the merges @throws Failure when one does not succeed, and what the client throws */
  async run(hub: DemoHub | undefined): Promise<Merge | undefined> {
    await this.showModels();
    const [first] = demoMerges;
    if (first !== undefined) await this.showPlan(first);
    this.screen.heading('Three merges');
    const merges: Merge[] = [];
    for (const merge of demoMerges) merges.push(await showMerge(this.client, this.screen, merge, this.signal));
    const last = merges.at(-1);
    await this.showLineage(last?.version ?? '');
    await this.showCard(last?.version ?? '');
    await this.fetchResults(merges);
    await this.showHub(hub, last?.version ?? '');
    return last;
  }

  /** Where to look on in a browser, as long as the service stays. */
  showWays({ id, version }: Merge, stays: boolean): void {
    const { url } = this.client;
    const path = url + versionPath(version ?? '');
    this.screen.heading(stays ? 'To look at, and to try' : 'To look at, and to try, when it runs without --once');
    this.screen.write(`  API, press Execute    ${url}/docs\n`);
    this.screen.write(`  model card            ${path}/card\n`);
    this.screen.write(`  lineage as a picture  ${path}/lineage?format=svg\n`);
    this.screen.write(`  what happened         ${url}/v1/merges/${id}/events\n`);
  }

  private async showModels(): Promise<void> {
    this.screen.heading('Its sample models: a tiny Llama, and what became of it after a little more training');
    const { items } = await this.client.json<{ items: { name: string; description: string }[] }>(
      '/v1/models?namespace=samples',
    );
    for (const { name, description } of [...items].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const version = await this.client.json<Version>(`/v1/models/samples/${name}/versions/latest`);
      const size = `${formatCount(version.parameterCount ?? 0)} parameters`;
      this.screen.write(`  ${version.reference.padEnd(18)} ${size}   ${description}\n`);
    }
  }

  private async showPlan({ recipe }: DemoMerge): Promise<void> {
    this.screen.heading('A recipe, as MergeKit takes it, and what it would do: planned from headers alone');
    const headers = { 'content-type': 'application/yaml' };
    const plan = await this.client.json<Plan>('/v1/plans', { method: 'POST', headers, body: recipe });
    const { tensors, outputBytes, shards, readBytes, peakMemoryBytes, dtype } = plan;
    this.screen.write(`${indent(recipe)}\n`);
    this.screen.write(
      `  ${plural(tensors.merged, 'tensor')} merged, ${tensors.copied} copied, ${tensors.dropped} dropped\n` +
        `  reads ${formatBytes(readBytes)}, writes ${formatBytes(outputBytes)} of ${dtype} ` +
        `in ${plural(shards, 'file')}, needs ${formatBytes(peakMemoryBytes)} of memory\n`,
    );
  }

  private async showLineage(reference: string): Promise<void> {
    this.screen.heading(`Where ${reference} comes from`);
    this.screen.write(lineageTree(await this.client.json<Lineage>(`${versionPath(reference)}/lineage`)));
  }

  private async showCard(reference: string): Promise<void> {
    this.screen.heading('Its model card');
    const card = await (await this.client.request(`${versionPath(reference)}/card`)).text();
    const [title = '', summary = ''] = card.slice(card.indexOf('\n# ') + 1).split('\n\n');
    const sections = [...card.matchAll(/^## (.+)$/gm)].map(([, section]) => section);
    this.screen.write(`  ${title}\n  ${summary}\n  ${sections.join(' · ')}\n`);
  }

  private async showHub(hub: DemoHub | undefined, version: string): Promise<void> {
    if (hub === undefined) {
      this.screen.write('\nPublishing and importing are skipped: they need --hub URL, and a token in HF_TOKEN.\n');
      return;
    }
    this.screen.heading(`To ${hub.url}, and back`);
    const repository = await showPublication(this.client, this.screen, hub, version, this.signal);
    await showImport(this.client, this.screen, hub, { repository, version }, this.signal);
  }

  private async fetchResults(merges: readonly Merge[]): Promise<void> {
    this.screen.heading('The results, as folders that any program loads');
    await mkdir(this.results, { recursive: true });
    for (const { version } of merges) {
      if (version === null) continue;
      const folder = join(this.results, basename(version.split('@')[0] ?? ''));
      await pull(this.client, version, folder, { overwrite: true, quiet: true });
      this.screen.write(`  ${folder}\n`);
    }
    this.screen.write('  each with its weights, config.json, tokenizer, recipe, and the card as README.md\n');
  }
}

/** `/v1/models/NAMESPACE/NAME/versions/VERSION` */
function versionPath(reference: string): string {
  const [model = '', version = ''] = reference.split('@');
  return `/v1/models/${model}/versions/${version}`;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '    ');
}
