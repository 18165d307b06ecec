import { describe, expect, it } from '@jest/globals';
import { RateMeter } from './rate-meter.js';

describe('RateMeter', () => {
  it('knows nothing from one moment', () => {
    const meter = new RateMeter();
    expect(meter.findSecondsLeft(100)).toBeUndefined();
    meter.add(1, 50);
    expect(meter.bytesPerSecond).toBe(0);
    expect(meter.findSecondsLeft(100)).toBeUndefined();
  });

  it('follows the last seconds, not the whole run', () => {
    const meter = new RateMeter(5);
    for (let second = 0; second <= 10; second++) meter.add(second, second * 1000);
    for (let second = 11; second <= 16; second++) meter.add(second, 10_000 + (second - 10) * 100);
    expect(meter.bytesPerSecond).toBe(100);
    expect(meter.findSecondsLeft(11_600)).toBe(10);
  });

  it('covers its window even when nothing was heard for long', () => {
    const meter = new RateMeter(5);
    meter.add(0, 0);
    meter.add(20, 1000);
    expect(meter.bytesPerSecond).toBe(50);
  });

  it('is never negative', () => {
    const meter = new RateMeter();
    meter.add(0, 100);
    meter.add(1, 50);
    expect(meter.bytesPerSecond).toBe(0);
    meter.add(2, 300);
    expect(meter.findSecondsLeft(200)).toBe(0);
  });
});
