import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { EngineError } from '../errors.js';

/** Files opened once a thread and closed together. */
export class OpenFiles {
  private readonly descriptors = new Map<string, number>();

  descriptor(path: string, flags: 'r' | 'r+'): number {
    const key = `${flags}:${path}`;
    const open = this.descriptors.get(key);
    if (open !== undefined) return open;
    const descriptor = openSync(path, flags);
    this.descriptors.set(key, descriptor);
    return descriptor;
  }

  /** Fills `target` from `position`. @throws EngineError file_truncated */
  read(path: string, target: Uint8Array, position: number): void {
    const descriptor = this.descriptor(path, 'r');
    for (let done = 0; done < target.length;) {
      const count = readSync(descriptor, target, done, target.length - done, position + done);
      if (count === 0) throw new EngineError('file_truncated', `${path} ends before byte ${position + target.length}`);
      done += count;
    }
  }

  write(path: string, source: Uint8Array, position: number): void {
    const descriptor = this.descriptor(path, 'r+');
    for (let done = 0; done < source.length;) {
      done += writeSync(descriptor, source, done, source.length - done, position + done);
    }
  }

  close(): void {
    for (const descriptor of this.descriptors.values()) closeSync(descriptor);
    this.descriptors.clear();
  }
}
