import { styleText } from 'node:util';
import { openProgress, type Progress } from './progress.js';

/** Where the demonstration writes: stdout, with bold text and bars on a terminal. */
export class DemoScreen {
  constructor(private readonly stream: NodeJS.WriteStream) {}

  write(text: string): void {
    this.stream.write(text);
  }

  heading(text: string): void {
    this.write(`\n${this.bold(text)}\n\n`);
  }

  bold(text: string): string {
    return this.stream.isTTY ? styleText('bold', text) : text;
  }

  openProgress(): Promise<Progress> {
    return openProgress({ verb: '   ', stream: this.stream });
  }
}
