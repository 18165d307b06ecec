export type JsonProblem = 'encoding' | 'syntax' | 'type' | 'duplicate_key' | 'number' | 'depth';

/** Internal to checkpoint/: each parser turns it into the code of its own file. */
export class JsonError extends Error {
  constructor(
    readonly problem: JsonProblem,
    message: string,
    readonly offset: number,
  ) {
    super(`${message} at character ${offset}`);
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Strict UTF-8 without a byte order mark. */
export function decodeJsonText(bytes: Uint8Array): string {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw new JsonError('encoding', 'not valid UTF-8', 0);
  }
  if (text.charCodeAt(0) === 0xfeff) throw new JsonError('encoding', 'starts with a byte order mark', 0);
  return text;
}

const [quoteMark, backslash, openBrace, closeBrace, openBracket, closeBracket] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d];
const [comma, colon, minus, zero, nine] = [0x2c, 0x3a, 0x2d, 0x30, 0x39];
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const wordPattern = /true|false|null|NaN|-?Infinity/y;
const escapes: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', '/': '/' };

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

/**
 * Pulls JSON out of a text, value by value, by a grammar that the caller writes down as calls.
 *
 * `JSON.parse` is not enough for a file that several programs must read alike: it keeps the last of two equal keys where
 * others keep the first, rounds 2^53+1, and makes `__proto__` a property. Nothing here builds an object from a
 * user-given key except `value`, which is for config.json.
 */
export class JsonScanner {
  private at = 0;

  constructor(private readonly text: string) {}

  get offset(): number {
    return this.at;
  }

  fail(problem: JsonProblem, message: string): never {
    throw new JsonError(problem, message, this.at);
  }

  /** `onEntry` is called at each value and must consume it. Two equal keys are refused. */
  object(onEntry: (key: string) => void): void {
    this.open(openBrace, 'an object');
    if (this.take(closeBrace)) return;
    const seen = new KeySet();
    do {
      const key = this.string();
      if (!seen.add(key)) this.fail('duplicate_key', `duplicate key ${JSON.stringify(key.slice(0, 100))}`);
      this.expect(colon, ':');
      onEntry(key);
    } while (this.take(comma));
    this.expect(closeBrace, '} or ,');
  }

  /** `onItem` is called at each value and must consume it. */
  array(onItem: () => void): void {
    this.open(openBracket, 'an array');
    if (this.take(closeBracket)) return;
    do onItem();
    while (this.take(comma));
    this.expect(closeBracket, '] or ,');
  }

  string(): string {
    this.open(quoteMark, 'a string');
    const { text } = this;
    const start = this.at;
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === quoteMark) {
        this.at = at + 1;
        return text.slice(start, at);
      }
      if (code === backslash) return this.escapedString(start, at);
      if (code < 0x20) break;
    }
    return this.fail('syntax', 'string without an end, or with a raw control character');
  }

  /** A non-negative integer up to 2^53-1, written with digits only. */
  count(): number {
    this.skip();
    const start = this.at;
    const first = this.text.charCodeAt(start);
    if (!(first >= zero && first <= nine)) {
      this.fail(first === minus ? 'number' : this.wrongValue(), 'expected a non-negative integer');
    }
    let value = 0;
    let code = first;
    for (; code >= zero && code <= nine; code = this.text.charCodeAt(++this.at)) {
      value = value * 10 + (code - zero);
      if (value > Number.MAX_SAFE_INTEGER) this.fail('number', 'integer above 2^53-1');
    }
    if (first === zero && this.at > start + 1) this.fail('syntax', 'number with a leading zero');
    if (code === 0x2e || code === 0x65 || code === 0x45)
      this.fail('number', 'expected an integer written with digits only');
    return value;
  }

  /**
   * Any value, as plain data. NaN and the infinities are taken: Python writes them and real config.json files have them.
   * @param spellings gets the text of every number that JavaScript would write otherwise, by JSON pointer: `1.0`, `1e-05`
   */
  value(maxDepth: number, spellings?: Map<string, string>, pointer = ''): JsonValue {
    if (maxDepth <= 0) this.fail('depth', 'nested too deeply');
    this.skip();
    const start = this.at;
    const code = this.text.charCodeAt(start);
    if (code === quoteMark) return this.string();
    if (code === openBrace) {
      const object: JsonObject = {};
      this.object((key) => {
        // Refused, not kept: a copy of the object elsewhere would change that object's prototype.
        if (key === '__proto__') this.fail('syntax', 'key "__proto__"');
        object[key] = this.value(maxDepth - 1, spellings, spellings && `${pointer}/${pointerToken(key)}`);
      });
      return object;
    }
    if (code === openBracket) {
      const array: JsonValue[] = [];
      this.array(() => array.push(this.value(maxDepth - 1, spellings, spellings && `${pointer}/${array.length}`)));
      return array;
    }
    const scalar = this.scalar();
    const spelling = this.text.slice(start, this.at);
    if (typeof scalar === 'number' && String(scalar) !== spelling) spellings?.set(pointer, spelling);
    return scalar;
  }

  /** Nothing but white space may follow. */
  end(): void {
    this.skip();
    if (this.at < this.text.length) this.fail('syntax', 'unexpected text after the end');
  }

  private scalar(): JsonValue {
    wordPattern.lastIndex = this.at;
    const word = wordPattern.exec(this.text)?.[0];
    if (word !== undefined) {
      this.at += word.length;
      if (word === 'true' || word === 'false') return word === 'true';
      return word === 'null' ? null : Number(word);
    }
    numberPattern.lastIndex = this.at;
    const number = numberPattern.exec(this.text)?.[0];
    if (number === undefined) return this.fail('syntax', 'expected a value');
    this.at += number.length;
    return Number(number);
  }

  private escapedString(start: number, firstEscape: number): string {
    const { text } = this;
    let out = text.slice(start, firstEscape);
    for (let at = firstEscape; at < text.length; at++) {
      const char = text.charAt(at);
      if (char === '"') {
        this.at = at + 1;
        // A lone surrogate has no UTF-8 form: such a name could not be written back.
        if (/\p{Surrogate}/u.test(out)) this.fail('syntax', 'escaped half of a surrogate pair');
        return out;
      }
      if (char.charCodeAt(0) < 0x20) break;
      if (char !== '\\') {
        out += char;
        continue;
      }
      const letter = text.charAt(++at);
      const hex = text.slice(at + 1, at + 5);
      if (letter === 'u' && /^[0-9a-fA-F]{4}$/.test(hex)) {
        out += String.fromCharCode(Number.parseInt(hex, 16));
        at += 4;
      } else {
        const plain = escapes[letter];
        if (plain === undefined) break;
        out += plain;
      }
    }
    return this.fail('syntax', 'string without an end, or with a wrong escape or a raw control character');
  }

  private skip(): void {
    for (; ; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    }
  }

  private take(code: number): boolean {
    this.skip();
    if (this.text.charCodeAt(this.at) !== code) return false;
    this.at++;
    return true;
  }

  private open(code: number, what: string): void {
    if (!this.take(code)) this.fail(this.wrongValue(), `expected ${what}`);
  }

  /** Where another value begins than the one expected, it is JSON of the wrong type; else it is no JSON. */
  private wrongValue(): JsonProblem {
    return /["{[\dtfn-]/.test(this.text.charAt(this.at)) ? 'type' : 'syntax';
  }

  private expect(code: number, what: string): void {
    if (!this.take(code)) this.fail('syntax', `expected ${what}`);
  }
}

/** One step of an RFC 6901 pointer. */
export function pointerToken(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** A header has one object with up to a million keys and as many objects with three: the three need no hash table. */
class KeySet {
  private readonly few: string[] = [];
  private many: Set<string> | undefined;

  add(key: string): boolean {
    if (this.many ? this.many.has(key) : this.few.includes(key)) return false;
    if (this.many) {
      this.many.add(key);
      return true;
    }
    this.few.push(key);
    if (this.few.length === 16) this.many = new Set(this.few);
    return true;
  }
}
