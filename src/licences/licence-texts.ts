/** Files that hold a licence, at the top of a model. */
export const licenceFilePattern = /^(?:licen[cs]e|copying)(?:[._-][a-z0-9._-]*)?$/i;

/** Enough for every text; a title stands in its first lines. */
export const LICENCE_TEXT_BYTES = 131_072;

/**
 * Phrases by which a text is known, the more particular first: what quotes another licence must come before it. All of a
 * line's phrases must be there, in any letter case and with any white space.
 */
const phrases: readonly (readonly [licence: string, ...phrases: string[]])[] = [
  ['llama4', 'llama 4 community license agreement'],
  ['llama3.3', 'llama 3.3 community license agreement'],
  ['llama3.2', 'llama 3.2 community license agreement'],
  ['llama3.1', 'llama 3.1 community license agreement'],
  ['llama3', 'meta llama 3 community license agreement'],
  ['llama2', 'llama 2 community license agreement'],
  ['gemma', 'gemma terms of use'],
  ['other:qwen-research', 'qwen research license agreement'],
  ['other:tongyi-qianwen', 'tongyi qianwen license agreement'],
  ['other:qwen', 'qwen license agreement'],
  ['other:mrl', 'mistral ai research license'],
  ['other:mnpl', 'mistral ai non-production license'],
  ['other:deepseek', 'deepseek license agreement'],
  ['other:falcon-llm', 'falcon', 'tii license'],
  ['other:yi', 'yi series models license agreement'],
  ['bigcode-openrail-m', 'bigcode open rail-m'],
  ['bigcode-openrail-m', 'bigcode openrail-m'],
  ['bigscience-bloom-rail-1.0', 'bigscience rail license'],
  ['bigscience-openrail-m', 'bigscience open rail-m'],
  ['creativeml-openrail-m', 'creativeml open rail-m'],
  ['openrail++', 'creativeml open rail++-m'],
  ['openrail', 'open rail'],
  ['cc-by-nc-nd-4.0', 'attribution-noncommercial-noderivatives 4.0 international'],
  ['cc-by-nc-sa-4.0', 'attribution-noncommercial-sharealike 4.0 international'],
  ['cc-by-nd-4.0', 'attribution-noderivatives 4.0 international'],
  ['cc-by-nc-4.0', 'attribution-noncommercial 4.0 international'],
  ['cc-by-sa-4.0', 'attribution-sharealike 4.0 international'],
  ['cc-by-4.0', 'attribution 4.0 international'],
  ['cc0-1.0', 'cc0 1.0 universal'],
  ['agpl-3.0', 'gnu affero general public license', 'version 3, 19 november 2007'],
  ['lgpl-3.0', 'gnu lesser general public license', 'version 3, 29 june 2007'],
  ['gpl-3.0', 'gnu general public license', 'version 3, 29 june 2007'],
  ['lgpl-2.1', 'gnu lesser general public license', 'version 2.1, february 1999'],
  ['gpl-2.0', 'gnu general public license', 'version 2, june 1991'],
  ['apache-2.0', 'apache license', 'version 2.0, january 2004'],
  ['unlicense', 'this is free and unencumbered software released into the public domain'],
  ['mit', 'permission is hereby granted, free of charge, to any person obtaining a copy', 'the above copyright notice'],
  [
    'bsd-3-clause',
    'redistribution and use in source and binary forms',
    'neither the name of',
    'this list of conditions and the following disclaimer',
  ],
  [
    'bsd-2-clause',
    'redistribution and use in source and binary forms',
    'this list of conditions and the following disclaimer',
  ],
  ['isc', 'permission to use, copy, modify, and/or distribute this software for any purpose'],
];

/** Which licence a file's text is; undefined when no phrase is known: then a person has to read it. */
export function recogniseLicence(text: string): string | undefined {
  const folded = text
    .slice(0, LICENCE_TEXT_BYTES)
    .replace(/[\s*#]+/g, ' ')
    .toLowerCase();
  return phrases.find(([, ...wanted]) => wanted.every((phrase) => folded.includes(phrase)))?.[0];
}
