import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors.js';

const loopbackHost = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;

/**
 * Guards a server that knows no API keys: whoever reaches it may use it, and a browser on this machine reaches it for
 * every page it shows. A foreign Host is DNS rebinding (a page whose own name was pointed at 127.0.0.1); a foreign
 * Origin is a page that posts here without being able to read the answer, which is enough to start merges.
 *
 * An `Origin` must name this very server, port included: other programs on this machine serve pages too. Through a
 * tunnel both headers carry the tunnel's port, so they still agree.
 *
 * @throws AppError host_not_allowed, origin_not_allowed
 */
export function requireSameOrigin(request: FastifyRequest): void {
  const { host, origin } = request.headers;
  if (host === undefined || !loopbackHost.test(host)) {
    throw new AppError(
      'host_not_allowed',
      'Without API keys this server answers to localhost, 127.0.0.1 and [::1] only; set AMALGAM_API_KEYS for others.',
    );
  }
  // Browsers send Origin with everything that can change something; programs do not send it at all.
  if (origin !== undefined && origin.toLowerCase() !== `http://${host}`.toLowerCase()) {
    throw new AppError('origin_not_allowed', 'A page of another origin may not use this server.');
  }
  const site = request.headers['sec-fetch-site'];
  const safe = request.method === 'GET' || request.method === 'HEAD';
  if (!safe && site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new AppError('origin_not_allowed', 'A page of another origin may not use this server.');
  }
}
