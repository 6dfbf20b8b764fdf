// Where the vim25 generator reads and writes.

import type { Generator } from '../generated-files.ts';
import { generateVim25 } from './generate-vim25.ts';

export const VIM25_SCHEMA = 'api/vim25/vim25-schema-9.0.json';
export const PBM_SCHEMA = 'api/pbm/pbm-schema-9.0.json';
const INTERNAL = 'api/vim25/internal-methods.json';
const OUTPUT = 'packages/vim/src/generated';

export const vim25Generator: Generator = {
  name: 'vim25',
  directories: [OUTPUT],
  generate(read) {
    const files = generateVim25(read(VIM25_SCHEMA), { internal: read(INTERNAL), pbm: read(PBM_SCHEMA) });
    return new Map([...files].map(([name, text]) => [`${OUTPUT}/${name}`, text]));
  },
};
