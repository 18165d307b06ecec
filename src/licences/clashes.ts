import { type Closure, compare, type PathStep, pathText } from './closure.js';
import { termsOf } from './licence-id.js';
import { detours, groups, type LicenceTerms } from './licence-policy.js';
import { noticeDuties, type Obligation, inOrder } from './obligations.js';
import { commonShareAlike, isShareAlike, reachable } from './result-licence.js';

/** A reason against publishing, with the one or two paths it is about. */
export interface Finding {
  /** Without its full stop. */
  why: string;
  paths: PathStep[][];
}

/** Why nothing may be published; sorted, so that the order of the models does not matter. */
export function denials(closure: Closure, commercial: boolean): Finding[] {
  const { licences } = closure;
  const found = licences.flatMap((id): Finding[] => {
    const { title, noDerivatives, demands } = termsOf(id);
    const limit = commercial ? demands['non-commercial'] : undefined;
    return [
      ...(noDerivatives === undefined ? [] : [about(closure, `${title}: ${noDerivatives}`, id)]),
      ...(limit === undefined ? [] : [about(closure, `${title} ${limit} forbids commercial use`, id)]),
      ...clashes(closure, id),
    ];
  });
  return sorted([...found, ...strangers(closure, 'denied'), ...shareAlikeClash(closure)]);
}

/** One text forbids what the other demands. */
function clashes(closure: Closure, id: string): Finding[] {
  const one = termsOf(id);
  return one.forbids === undefined ? [] : closure.licences.flatMap((other) => clash(closure, id, one, other));
}

function clash(closure: Closure, id: string, one: LicenceTerms, other: string): Finding[] {
  const two = termsOf(other);
  const [term] = inOrder(one.forbids?.terms ?? []).filter((each) => two.demands[each] !== undefined);
  if (one.forbids === undefined || term === undefined) return [];
  const clauses = `${one.title} ${one.forbids.clause} forbids what ${two.title} ${two.demands[term] ?? ''} demands (${term})`;
  return [about(closure, clauses, id, other)];
}

function shareAlikeClash(closure: Closure): Finding[] {
  const found = closure.licences.filter(isShareAlike);
  const two = found.flatMap((id, at) => found.slice(at + 1).map((other): [string, string] => [id, other]));
  const apart = two.filter((pair) => commonShareAlike(pair) === undefined);
  return apart.map(([id, other]) =>
    about(
      closure,
      `${termsOf(id).title} and ${termsOf(other).title} each want the whole under their own terms`,
      id,
      other,
    ),
  );
}

/** Llama 2 and 3 improve no other model: every root, and every other Llama label, must be of that family. */
function strangers(closure: Closure, kind: 'denied' | 'open'): Finding[] {
  const rooted = new Set(closure.roots.map((index) => closure.nodes[index]?.licence));
  return closure.licences.flatMap((id) => {
    const { ownFamilyOnly, title } = termsOf(id);
    if (ownFamilyOnly === undefined) return [];
    const { family, open, clause } = ownFamilyOnly;
    const others = closure.licences.filter((other) => rooted.has(other) || termsOf(other).family === 'llama');
    // What an unknown root is cannot be checked; it asks for a person anyway.
    const apart = others.filter((other) => !family.includes(other) && other !== 'unknown');
    return apart
      .filter((other) => open.includes(other) === (kind === 'open'))
      .map((other) => {
        const what = kind === 'open' ? 'excepts its own family only, and whether this counts is open' : 'forbids it';
        const root = closure.roots.find((index) => closure.nodes[index]?.licence === other);
        const why = `${title} ${clause}, to improve no other model, ${what}: ${termsOf(other).title}`;
        const paths = [pathOf(closure, id), root === undefined ? pathOf(closure, other) : closure.pathThrough(root)];
        return { why, paths };
      });
  });
}

/** Why a person has to decide. */
export function questions(closure: Closure): Finding[] {
  const { licences } = closure;
  const asking = licences.flatMap((id) => {
    const { title, approval } = termsOf(id);
    return approval === undefined
      ? []
      : [about(closure, approval.startsWith(title) ? approval : `${title}: ${approval}`, id)];
  });
  return sorted([
    ...asking,
    ...strangers(closure, 'open'),
    ...grouped(closure),
    ...detoured(closure),
    ...relaxed(closure),
  ]);
}

/** Two of the groups whose terms nobody has written to sit on one set of weights. */
function grouped(closure: Closure): Finding[] {
  const members = Object.entries(groups).flatMap(([name, isMember]) => {
    const licence = closure.licences.find((id) => isMember(termsOf(id)));
    return licence === undefined ? [] : [{ name, licence }];
  });
  const [one, two] = members.filter(({ licence }, at) => members.findIndex((each) => each.licence === licence) === at);
  if (one === undefined || two === undefined) return [];
  const titles = `${termsOf(one.licence).title} and ${termsOf(two.licence).title}`;
  return [
    about(closure, `${titles}: no text says how their terms sit on one set of weights`, one.licence, two.licence),
  ];
}

function detoured(closure: Closure): Finding[] {
  const { licences } = closure;
  return detours.flatMap(({ from, to, by, why }) => {
    const [start, end] = [from, to].map((ids) => licences.find((id) => ids.includes(id)));
    if (start === undefined || end === undefined || licences.includes(by)) return [];
    return [about(closure, `${termsOf(end).title} ${why}`, start, end)];
  });
}

/** Labels that drop more of an ancestor's terms than notices or credit. */
export function relaxed(closure: Closure): Finding[] {
  const found = new Map<string, Finding | undefined>();
  for (const [index, { licence }] of closure.nodes.entries()) {
    for (const ancestor of licence === null ? [] : closure.ancestorsOf(index)) {
      const above = closure.nodes[ancestor]?.licence ?? null;
      const pair = `${above ?? ''}>${licence ?? ''}`;
      // Thousands of models have few licences: each pair is looked at once.
      if (above === null || licence === null || found.has(pair)) continue;
      const dropped = droppedTerms(above, licence);
      const clauses = dropped.map((each) => `${each}, ${termsOf(above).demands[each] ?? ''}`).join('; ');
      const why = `The label ${licence} drops terms of ${termsOf(above).title} that still bind (${clauses})`;
      found.set(pair, dropped.length === 0 ? undefined : { why, paths: [closure.pathThrough(index, ancestor)] });
    }
  }
  return [...found.values()].filter((each) => each !== undefined);
}

/** What the label leaves out of an ancestor's terms. A licence that is not stated claims nothing. */
export function droppedTerms(ancestor: string, label: string): Obligation[] {
  if (label === 'unknown' || ancestor === label) return [];
  const { demands } = termsOf(label);
  const owed = inOrder(Object.keys(termsOf(ancestor).demands) as Obligation[]);
  return owed.filter((each) => {
    if (noticeDuties.has(each) || each === 'find-licence') return false;
    if (each === 'share-alike') return !reachable(ancestor).includes(label);
    if (each === 'name-prefix-llama' && demands['name-prefix-llama-3'] !== undefined) return false;
    return demands[each] === undefined;
  });
}

function about(closure: Closure, why: string, ...licences: string[]): Finding {
  return { why, paths: [...new Set(licences)].map((id) => pathOf(closure, id)) };
}

function pathOf(closure: Closure, licence: string): PathStep[] {
  return closure.pathThrough(closure.findByLicence(licence) ?? 0);
}

function sorted(found: readonly Finding[]): Finding[] {
  const keyed = found.map((finding) => ({ finding, key: `${finding.why} ${finding.paths.map(pathText).join(' ')}` }));
  return keyed.sort((a, b) => compare(a.key, b.key)).map(({ finding }) => finding);
}
