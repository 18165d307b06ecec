import { mkdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** Characters of a plan's digest that tell results apart. */
const DIGEST = 16;

/**
 * The hidden folder beside a result in which the results of its stages wait, each under the digest of its plan: what an
 * earlier attempt finished, or kept, is not made again, and what was made from another recipe is never taken for it.
 */
export class StageDirectory {
  private constructor(private readonly root: string) {}

  static beside(out: string): StageDirectory {
    const target = resolve(out);
    return new StageDirectory(join(dirname(target), `.${basename(target)}.amalgam-stages`));
  }

  pathOf(name: string, digest: string): string {
    const readable = name.replace(/[^A-Za-z0-9_-]+/g, '-').slice(-40);
    return join(this.root, `${readable}-${digest.slice(0, DIGEST)}`);
  }

  async create(): Promise<void> {
    await mkdir(this.root, { recursive: true });
  }

  /** A folder appears complete or not at all. */
  async has(path: string): Promise<boolean> {
    return (await stat(path).catch(() => undefined))?.isDirectory() === true;
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}
