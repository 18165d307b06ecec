import * as http from 'node:http';
import * as https from 'node:https';
import { Client } from 'minio';

/** How an S3 server is reached. Without keys it is asked anonymously. */
export interface S3Server {
  /** `http` or `https`, host and port. */
  url: string;
  region: string;
  accessKey?: string | undefined;
  secretKey?: string | undefined;
}

/** A server silent for this long is taken for dead; the client library itself would wait for ever. */
const idleSeconds = 30;

/** A client without retries of its own: those are `retried`'s and `steadily`'s. */
export function connectS3({ url: address, region, accessKey = '', secretKey = '' }: S3Server): Client {
  const url = new URL(address);
  const secure = url.protocol === 'https:';
  return new Client({
    ...{ endPoint: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || (secure ? 443 : 80) },
    ...{ useSSL: secure, accessKey, secretKey, region, pathStyle: true },
    retryOptions: { disableRetry: true },
    transport: withIdleLimit(secure ? https.request : http.request),
    transportAgent: new (secure ? https : http).Agent({ keepAlive: true, maxSockets: 32 }),
  });
}

/** The client takes a transport: the one place where every request, also one whose answer streams, gets a time-out. */
function withIdleLimit(request: typeof http.request): { request: typeof http.request } {
  const limited = (...args: Parameters<typeof http.request>) => {
    const started = request(...args);
    return started.setTimeout(idleSeconds * 1000, () => {
      started.destroy(Object.assign(new Error('The S3 server is silent.'), { code: 'ETIMEDOUT' }));
    });
  };
  return { request: limited as typeof http.request };
}
