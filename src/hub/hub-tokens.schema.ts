import { z } from 'zod';
import { PageOf } from '../http/pagination.js';
import { Timestamp } from '../models/models.schema.js';
import { Namespace } from '../models/names.js';
import { tokenPattern } from './hub-token-header.js';

export const HubTokenPath = z.object({ namespace: Namespace.meta({ example: 'team' }) });
export type HubTokenPath = z.infer<typeof HubTokenPath>;

export const NewHubToken = z
  .strictObject({
    token: z
      .string()
      .regex(tokenPattern, 'must be one token, as the Hub gave it')
      .describe('Kept encrypted, and never shown.')
      .meta({ writeOnly: true }),
  })
  .meta({ id: 'NewHubToken', example: { token: 'hf_...' } });
export type NewHubToken = z.infer<typeof NewHubToken>;

export const HubToken = z
  .object({
    namespace: Namespace.meta({ example: 'team' }),
    setBy: z.string().describe('Name of the API key that set it.'),
    setAt: Timestamp,
  })
  .meta({ id: 'HubToken' });
export type HubToken = z.infer<typeof HubToken>;

export const HubTokenPage = PageOf('HubTokenPage', HubToken);
