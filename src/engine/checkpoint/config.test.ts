import { expect, test } from '@jest/globals';

import { formatConfig, parseConfig } from './config.js';

const python = `{
  "architectures": [
    "Gemma2ForCausalLM"
  ],
  "final_logit_softcapping": 30.0,
  "nested": {
    "a/b~c": 1e-05,
    "empty": {},
    "none": null
  },
  "rope_theta": 10000.0,
  "text": "\u00e9\\n",
  "time_step_limit": [
    0.0,
    Infinity
  ],
  "use_cache": true,
  "vocab_size": 256000
}
`;

test('what transformers wrote is written back letter for letter', () => {
  const { config, numberSpellings } = parseConfig(Buffer.from(python));
  expect(formatConfig(config, numberSpellings)).toBe(python);
});

test('a changed number is written as it is now', () => {
  const { config, numberSpellings } = parseConfig(Buffer.from('{"theta":10000.0,"eps":1e-05,"layers":4}'));
  config['theta'] = 20000;
  config['eps'] = 0.5;
  config['layers'] = 8;
  expect(formatConfig(config, numberSpellings)).toBe('{\n  "theta": 20000.0,\n  "eps": 0.5,\n  "layers": 8\n}\n');
});

test('a list of floats stays one when it grows', () => {
  const { config, numberSpellings } = parseConfig(Buffer.from('{"scales":[1.0,2.5],"counts":[1,2]}'));
  config['scales'] = [1, 2.5, 3];
  config['counts'] = [1, 2, 3];
  const lines = formatConfig(config, numberSpellings).replaceAll(/\s+/g, '');
  expect(lines).toBe('{"scales":[1.0,2.5,3.0],"counts":[1,2,3]}');
});
