import { type Command, Option } from 'commander';

interface MergekitFlag {
  flags: string;
  /** What is done about it, and why. */
  reason: string;
}

/** Flags of mergekit-yaml that change nothing here: taken, with one warning each, so that scripts keep working. */
export const ignoredFlags: readonly MergekitFlag[] = [
  { flags: '--cuda', reason: 'merging is bound by the disk, not by arithmetic; it runs on the processor' },
  { flags: '--no-cuda', reason: 'it runs on the processor anyway' },
  { flags: '--device <device>', reason: 'it runs on the processor' },
  { flags: '--low-cpu-memory', reason: 'memory is bounded anyway' },
  { flags: '--no-low-cpu-memory', reason: 'memory is bounded anyway' },
  { flags: '--lazy-unpickle', reason: 'only safetensors are read, and never as a whole' },
  { flags: '--no-lazy-unpickle', reason: 'only safetensors are read' },
  { flags: '--clone-tensors', reason: 'tensors are never shared' },
  { flags: '--no-clone-tensors', reason: 'tensors are never shared' },
  { flags: '--trust-remote-code', reason: 'no code of a model is ever run' },
  { flags: '--no-trust-remote-code', reason: 'no code of a model is ever run' },
  { flags: '--read-to-gpu', reason: 'it runs on the processor' },
  { flags: '--no-read-to-gpu', reason: 'it runs on the processor' },
  { flags: '--multi-gpu', reason: 'it runs on the processor' },
  { flags: '--no-multi-gpu', reason: 'it runs on the processor' },
  { flags: '--gpu-rich', reason: 'it runs on the processor' },
  { flags: '--async-write', reason: 'writing never waits for computing anyway' },
  { flags: '--no-async-write', reason: 'writing never waits for computing' },
  { flags: '--write-threads <count>', reason: 'every thread writes what it computed' },
  { flags: '--transformers-cache <path>', reason: 'models are directories here; nothing is downloaded' },
  { flags: '--lora-merge-cache <path>', reason: 'adapters are not carried out yet' },
  { flags: '--lora-merge-dtype <dtype>', reason: 'adapters are not carried out yet' },
  { flags: '--safe-serialization', reason: 'safetensors are always written' },
  { flags: '--allow-crimes', reason: 'architectures are not compared; all tensors have to fit' },
  { flags: '--no-allow-crimes', reason: 'architectures are not compared; all tensors have to fit' },
  { flags: '--no-unsafe-truncate-embeddings', reason: 'embeddings are never cut' },
];

/** Flags that ask for another result than this program gives: ignoring them would be lying. */
export const refusedFlags: readonly MergekitFlag[] = [
  { flags: '--unsafe-truncate-embeddings', reason: 'embeddings are not cut; the models need the same vocabulary' },
  {
    flags: '--no-safe-serialization',
    reason: 'pickle files can run code when they are loaded; only safetensors are written',
  },
];

export interface MergekitFlagUse {
  /** One line for each ignored flag that was given. */
  warnings: string[];
  refusals: string[];
}

/** Makes a command take the flags, and returns where their use is noted while it parses. */
export function addMergekitFlags(command: Command): MergekitFlagUse {
  const use: MergekitFlagUse = { warnings: [], refusals: [] };
  const add = ({ flags, reason }: MergekitFlag, into: string[], verdict: string): void => {
    const option = new Option(flags).hideHelp();
    const name = flags.split(' ')[0] ?? flags;
    const line = `${name} ${verdict}: ${reason}`;
    command.addOption(option);
    command.on(`option:${option.name()}`, () => {
      if (!into.includes(line)) into.push(line);
    });
  };
  for (const flag of ignoredFlags) add(flag, use.warnings, 'has no effect');
  for (const flag of refusedFlags) add(flag, use.refusals, 'is refused');
  return use;
}
