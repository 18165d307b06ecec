import { Client } from 'minio';
import type { S3Config } from '../../src/config.js';

export type Files = Record<string, Uint8Array | string>;

/** An entry of AMALGAM_S3_SOURCES. */
export function sourceOf(config: S3Config, rest: { prefix?: string; namespaces: string[] }): object {
  const { url, bucket, region, accessKey, secretKey } = config;
  return { url, bucket, region, accessKey, secretKey, ...rest };
}

/** A bucket of somebody else, as its owner sees it. */
export class S3Folder {
  readonly #client: Client;

  constructor(private readonly config: S3Config) {
    const { hostname, port } = new URL(config.url);
    const { accessKey, secretKey, region } = config;
    this.#client = new Client({
      ...{ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey, region },
      retryOptions: { disableRetry: true },
    });
  }

  /** Puts files below a prefix. */
  async put(prefix: string, files: Files): Promise<void> {
    for (const [path, bytes] of Object.entries(files)) {
      const body = Buffer.from(bytes);
      await this.#client.putObject(this.config.bucket, `${prefix}/${path}`, body, body.byteLength);
    }
  }

  async delete(name: string): Promise<void> {
    await this.#client.removeObject(this.config.bucket, name);
  }

  async has(name: string): Promise<boolean> {
    return this.#client.statObject(this.config.bucket, name).then(
      () => true,
      () => false,
    );
  }
}
