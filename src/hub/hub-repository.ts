import { z } from 'zod';
import { HubError } from './hub-error.js';
import type { HubAnswer, HubTransport } from './hub-transport.js';
import { type OnWait, patiently } from './hub-waiting.js';

export type Visibility = 'public' | 'private';
export type Gating = false | 'auto' | 'manual';

/** A file as the Hub lists it: `sha256` when it is in the large store, else the digest of git's blob. */
export interface HubFile {
  path: string;
  bytes: number;
  gitOid: string;
  sha256?: string;
}

export interface HubInfo {
  /** `org/name` as it is called now. */
  id: string;
  isPrivate: boolean;
}

export type UploadMode = 'lfs' | 'regular';

const Info = z.object({ id: z.string(), private: z.boolean().optional() });
const Tree = z.array(
  z.object({
    type: z.string(),
    path: z.string(),
    oid: z.string(),
    size: z.number(),
    lfs: z.object({ oid: z.string() }).optional(),
  }),
);
const Ref = z.object({ name: z.string(), targetCommit: z.string() });
const Refs = z.object({
  branches: z.array(Ref),
  tags: z.array(Ref),
  pullRequests: z.array(z.object({ ref: z.string() })).default([]),
});
const Commits = z.array(z.object({ id: z.string() }));
const Preupload = z.object({
  files: z.array(z.object({ path: z.string(), uploadMode: z.enum(['lfs', 'regular']) })),
});
const Committed = z.object({ commitOid: z.string(), commitUrl: z.string().optional() });
const Discussion = z.object({ num: z.int(), title: z.string().optional() });

/** As many as the Hub's own clients ask about at once. */
const preuploadAtOnce = 100;
const treePages = 1_000;

/** One repository of models on the Hub, through its own routes; every call waits and tries again as the Hub asks it to. */
export class HubRepository {
  constructor(
    private readonly transport: HubTransport,
    private readonly hubUrl: string,
    readonly id: string,
    private readonly token: string | undefined,
    private readonly signal: AbortSignal,
    private readonly onWait?: OnWait,
  ) {}

  /** The same under the name that it has now. */
  renamed(id: string): HubRepository {
    return new HubRepository(this.transport, this.hubUrl, id, this.token, this.signal, this.onWait);
  }

  get url(): string {
    return `${this.hubUrl}/${this.id}`;
  }

  /** Undefined when there is none, or none that this token may see. */
  async findInfo(): Promise<HubInfo | undefined> {
    const found = await unlessMissing(() => this.#json(Info, 'GET', ''));
    return found && { id: found.id, isPrivate: found.private === true };
  }

  /** Makes it, private until somebody says otherwise: nobody shall see it half. One that exists is no error. */
  async create(): Promise<void> {
    const [organization = '', name = ''] = this.id.split('/');
    await this.#send('POST', '/api/repos/create', { name, organization, visibility: 'private' }).catch(ifStatus(409));
  }

  /** The commit that a branch, a tag or a pull request names; undefined when there is no such revision. */
  async findCommit(revision: string): Promise<string | undefined> {
    const Sha = z.object({ sha: z.string() });
    return (await unlessMissing(() => this.#json(Sha, 'GET', `/revision/${encodeURIComponent(revision)}`)))?.sha;
  }

  async createBranch(branch: string, startingPoint: string): Promise<void> {
    await this.#send('POST', this.#route(`/branch/${encodeURIComponent(branch)}`), { startingPoint }).catch(
      ifStatus(409),
    );
  }

  async listFiles(revision: string): Promise<HubFile[]> {
    const files: HubFile[] = [];
    let next: string | undefined = this.#route(`/tree/${encodeURIComponent(revision)}?recursive=true&expand=false`);
    for (let page = 0; next !== undefined && page < treePages; page += 1) {
      const answer: HubAnswer = await this.#send('GET', next);
      for (const { type, path, oid, size, lfs } of parse(Tree, answer)) {
        if (type === 'file') files.push({ path, bytes: size, gitOid: oid, ...(lfs && { sha256: lfs.oid }) });
      }
      next = nextPage(answer.headers['link'], this.hubUrl);
    }
    return files;
  }

  listRefs(): Promise<z.infer<typeof Refs>> {
    return this.#json(Refs, 'GET', '/refs?include_prs=1');
  }

  /** Newest first. */
  async listCommits(revision: string): Promise<string[]> {
    return (await this.#json(Commits, 'GET', `/commits/${encodeURIComponent(revision)}`)).map(({ id }) => id);
  }

  /** Which files go to the large store and which into the commit itself. */
  async uploadModes(
    revision: string,
    files: readonly { path: string; bytes: number; sample: Buffer }[],
  ): Promise<Map<string, UploadMode>> {
    const modes = new Map<string, UploadMode>();
    for (let at = 0; at < files.length; at += preuploadAtOnce) {
      const asked = files.slice(at, at + preuploadAtOnce).map(({ path, bytes: size, sample }) => {
        return { path, size, sample: sample.toString('base64') };
      });
      const answer = await this.#json(Preupload, 'POST', `/preupload/${encodeURIComponent(revision)}`, {
        files: asked,
      });
      for (const { path, uploadMode } of answer.files) modes.set(path, uploadMode);
    }
    return modes;
  }

  /** The Hub's answer to the question where an object goes. */
  batch(revision: string, object: { oid: string; size: number }): Promise<HubAnswer> {
    const headers = { accept: lfsType, 'content-type': lfsType };
    const body = {
      ...{ operation: 'upload', transfers: ['basic', 'multipart'], objects: [object], hash_algo: 'sha256' },
      ref: { name: revision },
    };
    return this.#send('POST', `/${this.id}.git/info/lfs/objects/batch`, body, headers);
  }

  /** Tells the Hub to look at an object that was sent, where it asks for that. */
  async verify(href: string, object: { oid: string; size: number }): Promise<void> {
    if (new URL(href).origin !== new URL(this.hubUrl).origin) return;
    await this.#send('POST', href, object, { 'content-type': lfsType });
  }

  /**
   * One commit; not tried again here, because the answer to one that was made can be lost.
   * @param body newline-delimited JSON
   */
  async commit(revision: string, body: () => Promise<NodeJS.ReadableStream>): Promise<z.infer<typeof Committed>> {
    const answer = await this.transport.send({
      method: 'POST',
      url: this.hubUrl + this.#route(`/commit/${encodeURIComponent(revision)}`),
      headers: { 'content-type': 'application/x-ndjson' },
      token: this.token,
      body: { make: body as never },
      signal: this.signal,
    });
    return parse(Committed, answer);
  }

  async tag(commit: string, tag: string): Promise<'made' | 'exists'> {
    const made = await this.#send('POST', this.#route(`/tag/${commit}`), { tag }).catch(ifStatus(409));
    return made === undefined ? 'exists' : 'made';
  }

  async settings(settings: { visibility?: Visibility; gated?: Gating }): Promise<void> {
    await this.#send('PUT', this.#route('/settings'), settings);
  }

  /** @returns its number */
  async openPullRequest(title: string, description: string): Promise<number> {
    const body = { title, description, pullRequest: true };
    return (await this.#json(Discussion, 'POST', '/discussions', body, { once: true })).num;
  }

  getPullRequest(number: number): Promise<z.infer<typeof Discussion>> {
    return this.#json(Discussion, 'GET', `/discussions/${number}`);
  }

  /** A pull request begins as a draft, which nobody is asked to look at. */
  async readyPullRequest(number: number): Promise<void> {
    await this.#send('POST', this.#route(`/discussions/${number}/status`), { status: 'open' });
  }

  #route(rest: string): string {
    return `/api/models/${this.id}${rest}`;
  }

  async #json<T>(schema: z.ZodType<T>, method: string, rest: string, body?: object, { once = false } = {}): Promise<T> {
    return parse(schema, await this.#send(method, this.#route(rest), body, {}, once));
  }

  #send(
    method: string,
    target: string,
    body?: object,
    headers: Record<string, string> = {},
    once = false,
  ): Promise<HubAnswer> {
    const send = (): Promise<HubAnswer> =>
      this.transport.send({
        method,
        url: new URL(target, this.hubUrl).href,
        token: this.token,
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: { make: () => Buffer.from(JSON.stringify(body)) } }),
        signal: this.signal,
      });
    return once ? send() : patiently(send, { signal: this.signal, onWait: this.onWait });
  }
}

const lfsType = 'application/vnd.git-lfs+json';

/** @throws HubError when it is not what the Hub answers */
export function parse<T>(schema: z.ZodType<T>, { status, body }: HubAnswer): T {
  try {
    return schema.parse(JSON.parse(body.toString()));
  } catch (error) {
    throw new HubError(status, undefined, 'The Hub gave an answer that is not understood.', undefined, {
      cause: error,
    });
  }
}

/** Undefined where something is missing, or must not be seen with this token. */
async function unlessMissing<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HubError && error.status === 404) return undefined;
    throw error;
  }
}

function ifStatus(status: number): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof HubError && error.status === status) return undefined;
    throw error;
  };
}

/** The next page's address, on the same server only: the token goes with it. */
function nextPage(link: string | string[] | undefined, hubUrl: string): string | undefined {
  const text = Array.isArray(link) ? link.join() : (link ?? '');
  const [, href] = /<([^>]+)>\s*;\s*rel="?next"?/.exec(text) ?? [];
  if (href === undefined) return undefined;
  const url = new URL(href, hubUrl);
  return url.origin === new URL(hubUrl).origin ? url.href : undefined;
}
