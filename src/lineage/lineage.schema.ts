import { z } from 'zod';

/** A version in a lineage. */
export const LineageNode = z
  .object({
    versionId: z.uuid(),
    name: z.string().describe('namespace/name@version'),
    namespace: z.string(),
    model: z.string(),
    version: z.int(),
    origin: z.enum(['upload', 'merge', 'import']),
    source: z
      .string()
      .nullable()
      .describe('Where it was imported from: hf:org/name@commit, or s3://bucket/prefix@digest.'),
    digest: z.string().describe('SHA-256 of the manifest.'),
    method: z.string().nullable().describe('Merge method that made it; null for an upload.'),
    mergeId: z.uuid().nullable(),
  })
  .meta({ id: 'LineageNode' });
export type LineageNode = z.infer<typeof LineageNode>;

export const LineageEdge = z
  .object({
    parent: z.uuid(),
    child: z.uuid(),
    role: z.enum(['base', 'model']),
    reference: z.string().describe('What the recipe said.'),
  })
  .meta({ id: 'LineageEdge' });
export type LineageEdge = z.infer<typeof LineageEdge>;

export const Lineage = z
  .object({
    version: z.uuid().describe('The version that was asked about.'),
    nodes: z.array(LineageNode),
    edges: z.array(LineageEdge),
    ancestors: z.array(z.uuid()),
    descendants: z.array(z.uuid()),
    truncated: z.boolean().describe('Whether there is more than one answer shows.'),
  })
  .meta({ id: 'Lineage' });
export type Lineage = z.infer<typeof Lineage>;

export const LineageQuery = z.object({
  format: z.enum(['json', 'mermaid', 'svg']).default('json').describe('JSON, or a picture: mermaid text or SVG.'),
  limit: z.coerce.number().int().min(1).max(500).default(200).describe('Most ancestors, and most descendants.'),
});
export type LineageQuery = z.infer<typeof LineageQuery>;
