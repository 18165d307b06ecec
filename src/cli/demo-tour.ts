import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Lineage, LineageNode } from '../lineage/lineage.schema.js';
import type { Merge, Plan } from '../merges/merges.schema.js';
import type { Version } from '../models/models.schema.js';
import type { ApiClient } from './api-client.js';
import { type DemoMerge, demoMerges } from './demo-recipes.js';
import { followEvents } from './event-stream.js';
import { Failure } from './failure.js';
import { formatBytes, formatCount, formatSeconds, plural } from './format.js';
import { pull } from './pull.js';

/** What the demonstration shows, against a service that is there. */
export class DemoTour {
  constructor(
    private readonly client: ApiClient,
    /** Folder that gets the merged models. */
    private readonly results: string,
    private readonly write: (text: string) => void,
    private readonly bold: (text: string) => string,
    private readonly signal: AbortSignal,
  ) {}

  /** @throws Failure when a merge does not succeed, and what the client throws */
  async run(): Promise<void> {
    await this.showModels();
    const [first] = demoMerges;
    if (first !== undefined) await this.showPlan(first);
    const merges: Merge[] = [];
    this.heading('Three merges');
    for (const merge of demoMerges) merges.push(await this.merge(merge));
    const last = merges.at(-1)?.version ?? '';
    await this.showLineage(last);
    await this.fetchResults(merges);
    this.showWays(last, merges.at(-1)?.id ?? '');
  }

  private heading(text: string): void {
    this.write(`\n${this.bold(text)}\n\n`);
  }

  private async showModels(): Promise<void> {
    this.heading('Its sample models: a tiny Llama, and what became of it after a little more training');
    const { items } = await this.client.json<{ items: { name: string; description: string }[] }>(
      '/v1/models?namespace=samples',
    );
    for (const { name, description } of [...items].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const version = await this.client.json<Version>(`/v1/models/samples/${name}/versions/latest`);
      const size = `${formatCount(version.parameterCount ?? 0)} parameters`;
      this.write(`  ${version.reference.padEnd(18)} ${size}   ${description}\n`);
    }
  }

  private async showPlan({ recipe, title }: DemoMerge): Promise<void> {
    this.heading('A recipe, as MergeKit takes it, and what it would do: planned from headers alone');
    this.write(indent(recipe));
    const headers = { 'content-type': 'application/yaml' };
    const plan = await this.client.json<Plan>('/v1/plans', { method: 'POST', headers, body: recipe });
    const { tensors, outputBytes, shards, readBytes, peakMemoryBytes, dtype } = plan;
    this.write(`\n  ${title}\n`);
    this.write(`  ${plural(tensors.merged, 'tensor')} merged, ${tensors.copied} copied, ${tensors.dropped} dropped\n`);
    this.write(`  reads ${formatBytes(readBytes)}, writes ${formatBytes(outputBytes)} of ${dtype} `);
    this.write(`in ${plural(shards, 'file')}, needs ${formatBytes(peakMemoryBytes)} of memory\n`);
  }

  private async merge({ output, title, recipe }: DemoMerge): Promise<Merge> {
    this.write(`  ${title}\n    `);
    const query = new URLSearchParams({ output }).toString();
    const headers = { 'content-type': 'application/yaml' };
    const { id } = await this.client.json<Merge>(`/v1/merges?${query}`, { method: 'POST', headers, body: recipe });
    let state = '';
    const show = (type: string): void => {
      if (type === state || type === 'shard' || type === 'progress') return;
      this.write(`${state === '' ? '' : ' → '}${type}`);
      state = type;
    };
    const ends = ['succeeded', 'failed', 'cancelled'];
    const isLast = ({ type }: { type: string }): boolean => ends.includes(type);
    await followEvents(this.client, `/v1/merges/${id}/events`, ({ type }) => show(type), isLast, this.signal);
    const merge = await this.client.json<Merge>(`/v1/merges/${id}`);
    if (merge.state !== 'succeeded') {
      throw new Failure('merge_failed', `${output}: ${merge.failure?.detail ?? `the merge is ${merge.state}`}`);
    }
    const seconds = (Date.parse(merge.finishedAt ?? '') - Date.parse(merge.createdAt)) / 1000;
    const took = merge.deduplicated ? 'the same bytes were there already' : formatSeconds(seconds);
    this.write(`: ${this.bold(merge.version ?? output)} (${took})\n\n`);
    return merge;
  }

  private async showLineage(reference: string): Promise<void> {
    this.heading(`Where ${reference} comes from`);
    const lineage = await this.client.json<Lineage>(`${versionPath(reference)}/lineage`);
    this.write(lineageTree(lineage));
  }

  private async fetchResults(merges: readonly Merge[]): Promise<void> {
    this.heading('The results, as folders that any program loads');
    await mkdir(this.results, { recursive: true });
    for (const { version } of merges) {
      if (version === null) continue;
      const folder = join(this.results, basename(version.split('@')[0] ?? ''));
      await pull(this.client, version, folder, { overwrite: true, quiet: true });
      this.write(`  ${folder}\n`);
    }
    this.write(
      '  each with model.safetensors, config.json, the tokenizer, README.md (its model card) and the recipe\n',
    );
  }

  private showWays(reference: string, merge: string): void {
    const { url } = this.client;
    const version = url + versionPath(reference);
    this.heading('To look at, and to try');
    this.write(`  API, press Execute    ${url}/docs\n`);
    this.write(`  model card            ${version}/card\n`);
    this.write(`  lineage as a picture  ${version}/lineage?format=svg\n`);
    this.write(`  what happened         ${url}/v1/merges/${merge}/events\n`);
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

/** The version on top, its parents below it; a version that two of them share is shown twice. */
export function lineageTree({ version, nodes, edges }: Lineage): string {
  const byId = new Map(nodes.map((node) => [node.versionId, node]));
  const label = ({ name, method }: LineageNode): string => name + (method === null ? '' : ` (${method})`);
  const below = (id: string, lead: string): string => {
    const parents = edges.filter(({ child }) => child === id);
    return parents
      .map(({ parent, role }, at) => {
        const node = byId.get(parent);
        if (node === undefined) return '';
        const isEnd = at === parents.length - 1;
        const line = `${lead}${isEnd ? '└─' : '├─'} ${label(node)}${role === 'base' ? ', the base' : ''}\n`;
        return line + below(parent, `${lead}${isEnd ? '   ' : '│  '}`);
      })
      .join('');
  };
  const top = byId.get(version);
  return top === undefined ? '' : `  ${label(top)}\n${below(version, '  ')}`;
}
