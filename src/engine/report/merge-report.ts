import type { ReportMode } from './report-mode.js';
import { type ReportPlace, reportPlace, type ReportRole, reportRoles } from './report-role.js';
import { type ReportNumbers, ReportSums } from './report-sums.js';
import type { TensorReport } from './tensor-report.js';

/** Name of the file beside the weights. */
export const REPORT_FILE = 'merge_report.json';

export interface ReportPart extends ReportNumbers {
  role: ReportRole;
  tensors: number;
}

export interface ReportGroup extends ReportPart {
  /** Null outside the layers. */
  layer: number | null;
}

/** What a merge did to the weights: the same bytes for the same plan, whoever carried it out and how. */
export interface MergeReport {
  report: Exclude<ReportMode, 'none'>;
  /** Everything but the counts of NaN and infinity comes from a sample of every larger tensor's blocks. */
  estimate: boolean;
  /** What task vectors are differences from; null where nothing was compared. */
  reference: 'base' | 'mean' | null;
  /** Names of the models, in the order of `norms` and `kept`. */
  models: string[];
  /** Names of two models, in the order of `cosines`. */
  pairs: [string, string][];
  total: ReportNumbers;
  roles: ReportPart[];
  groups: ReportGroup[];
  tensors: (ReportNumbers & { tensor: string; seen: number })[];
}

/** @param names of the plan's inputs, in its order */
export function mergeReport(
  report: MergeReport['report'],
  names: readonly string[],
  tensors: readonly TensorReport[],
): MergeReport {
  const found = new Set(tensors.flatMap(({ deltas }) => deltas?.models ?? []));
  const indices = [...found].sort((a, b) => a - b);
  const models = indices.map((index) => names[index] ?? '');
  const placed = tensors.map((tensor): PlacedTensor => ({ tensor, ...reportPlace(tensor.tensor) }));
  const sumOf = (members: readonly TensorReport[]): ReportNumbers =>
    members.reduce((sums, member) => sums.add(member), new ReportSums(indices)).numbers();
  return {
    report,
    estimate: tensors.some(({ elements, deltas }) => deltas !== undefined && deltas.seen < elements),
    reference: tensors.find(({ deltas }) => deltas !== undefined)?.deltas?.reference ?? null,
    models,
    pairs: models.flatMap((first, i) => models.slice(i + 1).map((second): [string, string] => [first, second])),
    total: sumOf(tensors),
    roles: reportRoles.flatMap((role) => {
      const members = placed.flatMap((entry) => (entry.role === role ? [entry.tensor] : []));
      return members.length === 0 ? [] : { role, tensors: members.length, ...sumOf(members) };
    }),
    groups: groupsOf(placed).map(({ layer, role, members }) => {
      return { layer, role, tensors: members.length, ...sumOf(members) };
    }),
    tensors: tensors.map((tensor) => ({ tensor: tensor.tensor, seen: tensor.deltas?.seen ?? 0, ...sumOf([tensor]) })),
  };
}

const listed = ['roles', 'groups', 'tensors'];

/** As JSON, a line for each group and tensor: small, and still read by people. */
export function formatReport(report: MergeReport): string {
  const list = (items: readonly object[]): string =>
    `[${items.map((item) => `\n    ${JSON.stringify(item)}`).join(',')}\n  ]`;
  const members = Object.entries(report).map(([key, value]: [string, unknown]) => {
    const text = listed.includes(key) ? list(value as object[]) : JSON.stringify(value);
    return `\n  ${JSON.stringify(key)}: ${text}`;
  });
  return `{${members.join(',')}\n}\n`;
}

interface PlacedTensor extends ReportPlace {
  tensor: TensorReport;
}

interface Group extends ReportPlace {
  members: TensorReport[];
}

/** Layer by layer, what lies outside them first, in each the roles in their order. */
function groupsOf(tensors: readonly PlacedTensor[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { tensor, layer, role } of tensors) {
    const key = `${layer ?? ''}/${role}`;
    const group = groups.get(key) ?? { layer, role, members: [] };
    group.members.push(tensor);
    groups.set(key, group);
  }
  const rank = ({ layer, role }: Group): number => (layer ?? -1) * reportRoles.length + reportRoles.indexOf(role);
  return [...groups.values()].sort((a, b) => rank(a) - rank(b));
}
