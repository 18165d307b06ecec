export interface Cancellation {
  signal: AbortSignal;
  /** The conventional status of a process that ended by that signal: 130 for Ctrl-C, 143 for SIGTERM. */
  readonly exitCode: number | undefined;
  close(): void;
}

/** Turns the first SIGINT or SIGTERM into a cancellation; the second ends the process at once. */
export function cancelOnSignals(): Cancellation {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const listen = (status: number) => (): void => {
    if (exitCode !== undefined) process.exit(status);
    exitCode = status;
    controller.abort();
  };
  const onInterrupt = listen(130);
  const onTerminate = listen(143);
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    close() {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
    },
  };
}
