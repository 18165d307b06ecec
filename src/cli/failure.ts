/** Something that the user can act on, found by a command itself. */
export class Failure extends Error {
  override readonly name = 'Failure';

  constructor(
    readonly code: string,
    message: string,
    readonly pointer?: string,
  ) {
    super(message);
  }
}

/** Ended by a signal: what there is to say has been said. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor(readonly exitCode: number) {
    super('interrupted');
  }
}

/** A recipe as it was read, to say where in it something is. */
export interface RecipeText {
  path: string;
  text: string;
}

/** The command line asks for something that there is not. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
