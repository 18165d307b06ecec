import { lookup as lookUp } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

// Two lists, because one takes each IPv4 address for the IPv6 address that embeds it too.
const private4 = new BlockList();
for (const [address, prefix] of [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['224.0.0.0', 3],
  ] as const),
]) {
  private4.addSubnet(address, prefix, 'ipv4');
}
// Everything but global unicast; within that, what embeds an IPv4 address (6to4, Teredo) and documentation.
const private6 = new BlockList();
for (const [address, prefix] of [
  ...([
    ['::', 3],
    ['4000::', 2],
    ['8000::', 1],
    ['2001::', 32],
    ['2002::', 16],
    ['2001:db8::', 32],
  ] as const),
]) {
  private6.addSubnet(address, prefix, 'ipv6');
}

/** Whether an IP address belongs to this machine, its networks, or nobody: everything that is no public server. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return true;
  return family === 4 ? private4.check(address, 'ipv4') : private6.check(address, 'ipv6');
}

/** A redirect that leads into a network in which no server of the Hub can be. */
export class PrivateAddress extends Error {
  override readonly name = 'PrivateAddress';
  readonly code = 'PRIVATE_ADDRESS';

  constructor(host: string) {
    super(`${host} is a private address`);
  }
}

/**
 * Resolves names for a connection and refuses private addresses; the address that was checked is the one that is
 * connected to, so that a name cannot mean something else a moment later.
 */
export const publicLookup: LookupFunction = (host, options, callback) => {
  lookUp(host, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, '', 0);
    const [first] = addresses;
    if (!first || addresses.some(({ address }) => isPrivateAddress(address))) {
      return callback(new PrivateAddress(host), '', 0);
    }
    return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family);
  });
};

/** Whether a server, by the host of its URL, is in a private network. A name that means nothing now is taken for public. */
export async function isPrivateHost(hostname: string): Promise<boolean> {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) return isPrivateAddress(host);
  return new Promise((resolve) => {
    lookUp(host, { all: true }, (error, addresses) => {
      resolve(!error && addresses.some(({ address }) => isPrivateAddress(address)));
    });
  });
}
