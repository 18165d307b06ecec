import { HubError } from '../hub/hub-error.js';
import type { HubRepository } from '../hub/hub-repository.js';
import { patiently } from '../hub/hub-waiting.js';

export interface WantedPullRequest {
  repository: HubRepository;
  /** Ours alone: by it a pull request is found whose answer was lost. */
  title: string;
  description: string;
  /** Numbers of those that were there before the first attempt, when there was one. */
  before: readonly number[] | undefined;
  onBefore: (numbers: number[]) => Promise<void>;
  signal: AbortSignal;
}

/** Opens a pull request once, also when the answer is lost. @returns its number */
export async function openPullRequest({ repository, signal, ...wanted }: WantedPullRequest): Promise<number> {
  let { before } = wanted;
  return patiently(
    async () => {
      const numbers = await listPullRequests(repository);
      const known = before;
      if (known === undefined) {
        before = numbers;
        await wanted.onBefore(numbers);
      } else {
        for (const number of numbers.filter((each) => !known.includes(each))) {
          if ((await repository.getPullRequest(number)).title === wanted.title) return number;
        }
      }
      return repository.openPullRequest(wanted.title, wanted.description);
    },
    { signal },
  );
}

async function listPullRequests(repository: HubRepository): Promise<number[]> {
  const { pullRequests } = await repository.listRefs();
  return pullRequests.flatMap(({ ref }) => {
    const number = Number(/^refs\/pr\/(\d+)$/.exec(ref)?.[1]);
    return Number.isSafeInteger(number) ? [number] : [];
  });
}

export function branchOf(pullRequest: number): string {
  return `refs/pr/${pullRequest}`;
}

/** Some mirrors have no drafts; then there is nothing to make ready. */
export async function readyPullRequest(repository: HubRepository, number: number): Promise<void> {
  await repository.readyPullRequest(number).catch((error: unknown) => {
    if (!(error instanceof HubError) || error.isPassing) throw error;
  });
}
