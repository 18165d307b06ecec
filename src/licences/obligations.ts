/** What a licence can ask of whoever shares a merge, in the order in which answers list it. */
export const obligations = {
  'keep-notice': 'Keep the licence texts, copyright notices and NOTICE files of the parents.',
  'licence-copy': 'Ship a copy of the agreement.',
  'attach-text': 'Ship the stored text of the custom licence.',
  attribution: 'Give credit with the line that Creative Commons asks for.',
  'state-changes': 'Say what was changed.',
  'keep-docs': 'Keep and extend the documentation of the model (BigCode OpenRAIL-M 5.2.b).',
  'llama-notice': 'Put the sentence of s.1.b.iii into a Notice file.',
  'name-prefix-llama': 'Begin the name of the model with "Llama".',
  'name-prefix-llama-3': 'Begin the name of the model with "Llama 3", which fulfils "Llama" too.',
  'built-with-llama': 'Display "Built with Llama".',
  'built-with-llama-3': 'Display "Built with Meta Llama 3".',
  'built-with-qwen': 'Display "Built with Qwen".',
  'built-with-falcon': 'Display the Falcon credit line.',
  'gemma-terms': 'Ship the Gemma Notice sentence, and pass s.3.2 on as an enforceable term.',
  'use-policy': 'Pass the use policy or the use restrictions on.',
  'no-improve-other-models': 'Pass on that nothing of it may improve other language models (s.1.b.v).',
  'mau-700m': 'State the limit of 700 million monthly active users (s.2).',
  'eu-multimodal': 'State that the EU has no grant in multimodal models.',
  'non-commercial': 'Share for non-commercial purposes only.',
  'research-only': 'Share for research only.',
  'share-alike': 'Put the whole under that licence.',
  'source-offer': 'Offer recipe and parents as the source.',
  'network-source': 'Offer the same to users over a network.',
  relabel: 'Show the path and the label that dropped the terms of an ancestor.',
  'find-licence': 'Find the licence first.',
} as const;

export type Obligation = keyof typeof obligations;

export const obligationOrder = Object.keys(obligations) as Obligation[];

/** What a label may leave out without being a relaxation: notices and credit outlive any label. */
export const noticeDuties: ReadonlySet<Obligation> = new Set(['keep-notice', 'state-changes', 'attribution']);

/** Each once, in the order of the list above. */
export function inOrder(found: Iterable<Obligation>): Obligation[] {
  const all = new Set(found);
  return obligationOrder.filter((each) => all.has(each));
}
