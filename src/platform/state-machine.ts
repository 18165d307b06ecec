type Transitions<State extends string, Happening extends string> = Readonly<
  Record<State, Partial<Record<Happening, State>>>
>;

/** The life of a job as a table: what may happen in which state, and which state follows. */
export class StateMachine<State extends string, Happening extends string> {
  /**
   * @param states in the order of a job's life
   * @param starts in which it may begin
   */
  constructor(
    private readonly states: readonly State[],
    private readonly starts: readonly State[],
    private readonly transitions: Transitions<State, Happening>,
  ) {}

  /** The state that follows, or undefined when this cannot happen to a job in that state. */
  readonly next = (state: State, happening: Happening): State | undefined => this.transitions[state][happening];

  /** The states in which something may happen, in the order of a job's life. */
  readonly statesBefore = (happening: Happening): State[] =>
    this.states.filter((state) => this.transitions[state][happening] !== undefined);

  /** Succeeded, failed or cancelled: nothing runs for the job any more (a retry begins it anew). */
  readonly isTerminal = (state: State): boolean => state === 'succeeded' || state === 'failed' || state === 'cancelled';

  /** The table as a mermaid state diagram. */
  readonly stateDiagram = (): string => {
    const lines = ['stateDiagram-v2', ...this.starts.map((state) => `  [*] --> ${state}`)];
    for (const state of this.states) {
      for (const [happening, target] of Object.entries<State | undefined>(this.transitions[state])) {
        lines.push(`  ${state} --> ${target ?? ''}: ${happening}`);
      }
      if (this.isTerminal(state)) lines.push(`  ${state} --> [*]`);
    }
    return lines.join('\n');
  };
}
