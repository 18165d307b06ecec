import type { HubToken } from '../hub/hub-tokens.schema.js';
import type { ApiClient } from './api-client.js';
import { Failure, UsageError } from './failure.js';
import { checkedToken } from './publish.js';

export interface HubTokenOutput {
  quiet?: boolean;
  json?: boolean;
}

/** No token is as long. */
const mostBytes = 4_096;

/**
 * `amalgam hub-token set NAMESPACE`
 * @param token from the environment, else it is read from standard input; never an argument, which shows in process lists
 * @throws UsageError when there is neither
 */
export async function setHubToken(
  client: ApiClient,
  namespace: string,
  options: HubTokenOutput,
  token: string | undefined,
): Promise<void> {
  const body = { token: checkedToken(token ?? (await readToken(process.stdin))) };
  const answer = await client.json<HubToken>(pathOf(namespace), { method: 'PUT', body });
  show(options, answer, `${namespace} has a token of the Hub; nothing shows it again`);
}

/** `amalgam hub-token list` */
export async function listHubTokens(client: ApiClient, options: HubTokenOutput): Promise<void> {
  const items = await client.list<HubToken>('/v1/hub-tokens?limit=200');
  show(options, items, ...items.map(({ namespace, setBy, setAt }) => `${namespace}: set by ${setBy}, ${setAt}`));
}

/** `amalgam hub-token remove NAMESPACE` */
export async function removeHubToken(client: ApiClient, namespace: string, options: HubTokenOutput): Promise<void> {
  await client.request(pathOf(namespace), { method: 'DELETE' });
  show(options, { removed: namespace }, `${namespace} has no token of the Hub any more`);
}

async function readToken(input: NodeJS.ReadStream): Promise<string> {
  // On a terminal it would be shown while it is typed.
  if (input.isTTY) throw new UsageError('the token comes in HF_TOKEN, or on standard input: hub-token set NAME < FILE');
  let text = '';
  for await (const chunk of input.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > mostBytes) throw new Failure('hub_token_invalid', 'standard input is no token');
  }
  if (text.trim() === '') throw new UsageError('there is no token in HF_TOKEN, nor on standard input');
  return text.trim();
}

function pathOf(namespace: string): string {
  return `/v1/hub-tokens/${encodeURIComponent(namespace)}`;
}

function show({ json, quiet }: HubTokenOutput, answer: unknown, ...lines: string[]): void {
  if (json === true) process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  else if (quiet !== true) process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}
