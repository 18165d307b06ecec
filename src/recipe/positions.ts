import { EVENT_ID, type Event, getScalarValue } from 'js-yaml';
import { type Path, pointerOf } from './pointers.js';

/** 1-based place in a text; columns count UTF-16 code units. */
export interface Position {
  line: number;
  column: number;
}

/** The place of what a path leads to: of a mapping's member the key or the value; where there is nothing, of what is around it. */
export type FindPosition = (path: Path, what: 'key' | 'value') => Position | undefined;

/** Turns offsets into lines and columns; line breaks are LF, CRLF and CR. */
export class TextLines {
  private starts: number[] | undefined;

  /** @param inserted Characters that were put before a line (0-based) and that its columns do not count. */
  constructor(
    private readonly text: string,
    private readonly inserted: ReadonlyMap<number, number> = new Map(),
  ) {}

  positionOf(offset: number): Position {
    const { line, start } = this.lineAt(offset);
    return { line: line + 1, column: Math.max(1, offset - start - (this.inserted.get(line) ?? 0) + 1) };
  }

  /** The line, counted from 0, that the offset is in, and the offset of its beginning. */
  lineAt(offset: number): { line: number; start: number } {
    this.starts ??= [0, ...[...this.text.matchAll(/\r\n|\n|\r/g)].map((found) => found.index + found[0].length)];
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low, start: this.starts[low] ?? 0 };
  }
}

interface Offsets {
  key?: number;
  value: number;
}

interface Frame {
  path: Path;
  /** Of a sequence the next index; of a mapping undefined. */
  index: number | undefined;
  /** Of a mapping, between a key and its value. */
  key: { name: string; offset: number } | undefined;
}

/** Where every node of a YAML text stands, by document and JSON pointer; worked out when it is first asked for. */
export class NodePositions {
  private documents: Map<string, Offsets>[] | undefined;

  constructor(
    private readonly events: readonly Event[],
    private readonly text: string,
    private readonly lines: TextLines,
  ) {}

  find(document: number, path: Path, what: 'key' | 'value'): Position | undefined {
    this.documents ??= this.readEvents();
    const offsets = this.documents[document];
    for (let length = path.length; length >= 0; length -= 1) {
      const found = offsets?.get(pointerOf(path.slice(0, length)));
      if (found === undefined) continue;
      const atKey = (what === 'key' && length === path.length) || found.value < 0;
      return this.lines.positionOf(Math.max(0, atKey ? (found.key ?? found.value) : found.value));
    }
    return undefined;
  }

  /** The pointer of the member whose key stands at the offset; of two members of one name it is the same. */
  pointerOfKey(offset: number): string | undefined {
    this.documents ??= this.readEvents();
    const several = this.documents.length > 1;
    for (const [index, nodes] of this.documents.entries()) {
      for (const [pointer, { key }] of nodes) {
        // A quoted key is found at its quote, and reported behind it.
        if (key === offset || (key !== undefined && key === offset - 1 && /["']/.test(this.text[key] ?? ''))) {
          return several ? `/${index}${pointer}` : pointer;
        }
      }
    }
    return undefined;
  }

  private readEvents(): Map<string, Offsets>[] {
    const documents: Map<string, Offsets>[] = [];
    const frames: Frame[] = [];
    for (const event of this.events) {
      if (event.type === EVENT_ID.POP) {
        frames.pop();
        continue;
      }
      if (event.type === EVENT_ID.DOCUMENT) {
        documents.push(new Map());
        frames.push({ path: [], index: undefined, key: { name: '', offset: -1 } });
        continue;
      }
      const parent = frames.at(-1);
      if (parent === undefined) continue;
      const offset = this.offsetOf(event);
      const path = this.place(parent, event, offset, documents.at(-1), frames.length === 1);
      if (event.type === EVENT_ID.MAPPING) frames.push({ path, index: undefined, key: undefined });
      else if (event.type === EVENT_ID.SEQUENCE) frames.push({ path, index: 0, key: undefined });
    }
    return documents;
  }

  /** Notes where the node stands, unless it is a key, and returns its path. */
  private place(
    parent: Frame,
    event: Event,
    offset: number,
    nodes: Map<string, Offsets> | undefined,
    isRoot: boolean,
  ): Path {
    if (isRoot) {
      nodes?.set('', { value: offset });
      return [];
    }
    if (parent.index !== undefined) {
      const path = [...parent.path, parent.index];
      parent.index += 1;
      nodes?.set(pointerOf(path), { value: offset });
      return path;
    }
    if (parent.key === undefined) {
      const name = event.type === EVENT_ID.SCALAR ? getScalarValue(this.text, event) : '';
      parent.key = { name, offset };
      return [...parent.path, name];
    }
    const path = [...parent.path, parent.key.name];
    nodes?.set(pointerOf(path), { key: parent.key.offset, value: offset });
    parent.key = undefined;
    return path;
  }

  private offsetOf(event: Event): number {
    switch (event.type) {
      case EVENT_ID.ALIAS:
        return event.anchorStart - 1;
      case EVENT_ID.SCALAR: {
        const quote = this.text[event.valueStart - 1];
        return event.valueStart - (quote === '"' || quote === "'" ? 1 : 0);
      }
      case EVENT_ID.MAPPING:
      case EVENT_ID.SEQUENCE:
        return event.start;
      default:
        return -1;
    }
  }
}
