import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.js';

const keyFile = 'secret.key';
const nonceBytes = 12;
const tagBytes = 16;

/** Secrets cannot be kept: processes that share a database have no key in common. */
export class SealingUnavailable extends Error {
  override readonly name = 'SealingUnavailable';
}

/**
 * Encrypts what is secret and must outlive the process: AES-256-GCM, with the place where it is kept as associated data,
 * so that a sealed text that is copied to another row does not open there.
 */
export class Sealer {
  #key: Buffer | undefined;

  constructor(private readonly config: Config) {}

  /** @throws SealingUnavailable */
  seal(text: string, place: string): string {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#getKey(), nonce).setAAD(Buffer.from(place));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
  }

  /** Undefined when it was sealed with another key, or for another place. @throws SealingUnavailable */
  open(sealed: string, place: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64');
    const [nonce, tag, text] = [
      bytes.subarray(0, nonceBytes),
      bytes.subarray(nonceBytes, nonceBytes + tagBytes),
      bytes.subarray(nonceBytes + tagBytes),
    ];
    const key = this.#getKey();
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place)).setAuthTag(tag);
      return Buffer.concat([decipher.update(text), decipher.final()]).toString('utf8');
    } catch {
      return undefined;
    }
  }

  #getKey(): Buffer {
    this.#key ??= this.config.secretKey ?? this.#ownKey();
    return this.#key;
  }

  /** An embedded home has one process and one directory, in which its key can lie, readable by its user only. */
  #ownKey(): Buffer {
    if (this.config.database.url !== undefined) {
      throw new SealingUnavailable('AMALGAM_SECRET_KEY is not set, so nothing secret can be kept in this database.');
    }
    const path = join(this.config.dataDirectory, keyFile);
    mkdirSync(this.config.dataDirectory, { recursive: true });
    try {
      writeFileSync(path, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    return Buffer.from(readFileSync(path, 'utf8').trim(), 'hex');
  }
}
