/** A typing slip of one letter always counts; of two only in names long enough that they can hardly be another word. */
const longNameLetters = 8;

/** Names that people write for another one, although no typing slip leads from one to the other. */
const wrongWords: Readonly<Record<string, string>> = { pattern: 'filter' };

/**
 * The name that was meant, when `written` is a near miss of one of the known names: another letter case, one slip (a letter
 * more, less, other, or two swapped), two slips from eight letters on, or a word from MergeKit's older grammar.
 */
export function findMeant(written: string, known: Iterable<string>): string | undefined {
  const candidates = [...known];
  const word = Object.hasOwn(wrongWords, written.toLowerCase()) ? wrongWords[written.toLowerCase()] : undefined;
  if (word !== undefined && candidates.includes(word)) return word;
  let best: { name: string; slips: number } | undefined;
  for (const name of candidates) {
    const allowed = name.length >= longNameLetters ? 2 : 1;
    if (Math.abs(name.length - written.length) > allowed) continue;
    const found = slips(written.toLowerCase(), name.toLowerCase());
    // One slip turns any letter into any other: in names of one or two letters it says nothing.
    const tooShort = found > 0 && name.length < 3;
    if (found <= allowed && !tooShort && (best === undefined || found < best.slips)) best = { name, slips: found };
  }
  return best?.name;
}

/** Edit distance where swapping two neighbours is one edit (optimal string alignment). */
export function slips(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const other = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + other);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
