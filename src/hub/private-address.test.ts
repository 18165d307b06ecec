import { describe, expect, test } from '@jest/globals';
import { isPrivateAddress, isPrivateHost, publicLookup } from './private-address.js';

describe('private addresses', () => {
  test.each([
    ...['127.0.0.1', '10.1.2.3', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0'],
    ...['255.255.255.255', '::1', '::', 'fe80::1', 'fd00::1', '::ffff:10.0.0.1', '64:ff9b::a00:1', '2002:a00:1::'],
    ...['ff02::1', 'no address'],
  ])('%s is private', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  test.each(['8.8.8.8', '172.32.0.1', '99.84.0.1', '2600:9000::1', '2a00:1450:4001::1'])('%s is public', (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  });

  test('a name that means a private address is not connected to', async () => {
    const error = await new Promise((resolve) => publicLookup('localhost', {}, resolve));
    expect(error).toMatchObject({ code: 'PRIVATE_ADDRESS' });
    expect(await isPrivateHost('localhost')).toBe(true);
    expect(await isPrivateHost('[::1]')).toBe(true);
  });
});
