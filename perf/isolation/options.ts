// The command line of an isolation run. Read by main.ts.

import { programOptions, refuseOption } from '../../contracts/program-options.ts';
import { cases } from './cases.ts';

export interface IsolationOptions {
  /** Length of each round. */
  seconds: number;
  /** Rounds of each case. */
  rounds: number;
  /** Orders a second. */
  rate: number;
  seed: number;
  /** The cases. */
  names: string[];
  stopWithParent: boolean;
}

/** Ends the process with exit code 2 and a line that says what the program takes. */
export function isolationOptions(): IsolationOptions {
  const { values } = programOptions('isolation', {
    options: {
      seconds: { type: 'string', default: '20' },
      rounds: { type: 'string', default: '3' },
      rate: { type: 'string', default: '150' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      'stop-with-parent': { type: 'boolean', default: false },
    },
  });
  const numberOf = (name: 'seconds' | 'rounds' | 'rate' | 'seed') => {
    if (/^[1-9]\d{0,8}$/.test(values[name])) return Number(values[name]);
    return refuseOption('isolation', `--${name} is ${JSON.stringify(values[name])}; it takes a whole number from 1`);
  };
  const known = cases.map(({ name }) => name);
  const names = values.only?.split(',') ?? known;
  for (const name of names)
    if (!known.includes(name))
      refuseOption('isolation', `--only names ${JSON.stringify(name)}; it takes some of ${known.join(', ')}`);
  return {
    seconds: numberOf('seconds'),
    rounds: numberOf('rounds'),
    rate: numberOf('rate'),
    seed: numberOf('seed'),
    names: [...new Set(names)],
    stopWithParent: values['stop-with-parent'],
  };
}
