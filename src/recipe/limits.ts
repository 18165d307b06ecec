/** The longest published recipe has 7 KB; a chat template may add some. */
export const textBytesLimit = 64 * 1024;

/** Values of a recipe, keys included and aliases written out: a thousand lines can otherwise stand for billions of values. */
export const nodesLimit = 10_000;

/** A recipe nests a dozen levels at the most; what is deeper is aimed at somebody's stack. */
export const depthLimit = 64;

/** Entries of one list and members of one mapping; layers are counted in hundreds. */
export const membersLimit = 1_000;

/** YAML documents of one text. */
export const documentsLimit = 100;

/** Characters of a key; messages and pointers repeat it. */
export const keyCharactersLimit = 200;
