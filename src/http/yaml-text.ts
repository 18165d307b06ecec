import type { FastifyInstance } from 'fastify';
import { bodyLimitBytes } from './limits.js';

/** RFC 9512, and what people sent before it. */
export const yamlTypes = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml'] as const;

/** A body that came as YAML and has not been parsed: a JSON body that is a string must not be taken for one. */
export class YamlText {
  constructor(readonly text: string) {}
}

export function acceptYaml(instance: FastifyInstance): void {
  const options = { parseAs: 'string', bodyLimit: bodyLimitBytes } as const;
  instance.addContentTypeParser<string>([...yamlTypes], options, (_request, body, done) => {
    done(null, new YamlText(body));
  });
}
