import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';
import { environment } from './environment.js';

const folder = resolve(import.meta.dirname, '../oracle');

interface Pending {
  resolve(value: unknown): void;
  reject(reason: Error): void;
}

/** An error that the Python program answered with, as `TypeName: message`. */
export class OracleError extends Error {}

/**
 * A Python program of test/oracle that answers one request after the other. Its imports take seconds: start one and use
 * it for a whole test file.
 */
export class Oracle {
  private readonly pending = new Map<number, Pending>();
  private lastId = 0;
  private lastWords = '';
  private end: Error | undefined;

  private constructor(private readonly child: ChildProcessWithoutNullStreams) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.answered(line);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.lastWords = (this.lastWords + text).slice(-4000);
    });
    child.on('error', (error) => {
      this.failAll(error);
    });
    child.on('close', (code, signal) => {
      this.failAll(new Error(`the oracle ended with ${String(code ?? signal)}\n${this.lastWords}`));
    });
    // The `close` event tells better what happened than a broken pipe.
    child.stdin.on('error', () => undefined);
  }

  /**
   * @param program file name in test/oracle
   * @param env beside what is inherited
   * @throws Error when it does not start, with what it wrote to stderr
   */
  static async start(program: string, env: Record<string, string> = {}): Promise<Oracle> {
    const child = spawn(environment('python'), ['-u', resolve(folder, program)], {
      stdio: 'pipe',
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env },
    });
    const oracle = new Oracle(child);
    await oracle.answerTo(0);
    return oracle;
  }

  /** @throws OracleError what the program answered; Error when it ended */
  async ask<Answer>(request: object): Promise<Answer> {
    if (this.end !== undefined) throw this.end;
    const id = ++this.lastId;
    const answer = this.answerTo(id);
    this.child.stdin.write(`${JSON.stringify({ ...request, id })}\n`);
    return (await answer) as Answer;
  }

  /** Resolves when the process is gone. */
  async close(): Promise<void> {
    if (this.end !== undefined) return;
    const closed = once(this.child, 'close');
    this.child.stdin.end();
    await closed;
  }

  private answerTo(id: number): Promise<unknown> {
    return new Promise((resolveAnswer, reject) => this.pending.set(id, { resolve: resolveAnswer, reject }));
  }

  private answered(line: string): void {
    const { id, ok, error } = JSON.parse(line) as { id: number; ok?: unknown; error?: string };
    const waiting = this.pending.get(id);
    this.pending.delete(id);
    if (error === undefined) waiting?.resolve(ok);
    else waiting?.reject(new OracleError(error));
  }

  private failAll(error: Error): void {
    this.end ??= error;
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}
