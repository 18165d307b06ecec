import { readFileSync } from 'node:fs';

/**
 * The most memory this process has had at once, in bytes. Linux counts into `maxRSS` what the parent had when it started
 * us, so there the process's own mark is read.
 */
export function peakRssBytes(): number {
  return ownMark() ?? process.resourceUsage().maxRSS * 1024;
}

function ownMark(): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}
