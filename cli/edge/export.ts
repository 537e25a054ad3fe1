import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { Command } from 'commander';
import { UsageError } from '../../contracts/failure.ts';
import { oneLine } from '../../edge/index.ts';
import { printJson, say } from '../output.ts';
import { counted, type SelectionOptions, selectionOf, visitSpool, withSelection } from './visiting.ts';

interface ExportOptions extends SelectionOptions {
  json?: boolean;
}

const STANDARD_OUTPUT = 1;

export function exportCommand(): Command {
  return withSelection(
    new Command('export')
      .description(
        'Writes orders as they were sent, one a line, for `ordermesh orders send`: when the line stays down, they travel another way.',
      )
      .argument('<file>', 'file to write, which must not exist, or - for standard output'),
    'unsent',
  )
    .option('--json', 'print {"exported":n} when done; needs a file')
    .action((file: string, { json, ...options }: ExportOptions) => {
      if (json && file === '-') throw new UsageError('--json and - both want standard output: name a file');
      const exported = visitSpool('read', (visit) => {
        const target = file === '-' ? STANDARD_OUTPUT : create(file);
        let lines = 0;
        for (const { value } of visit.orders(selectionOf([], options))) {
          writeFully(target, Buffer.concat([oneLine(value), Buffer.from('\n')]));
          lines++;
        }
        if (target !== STANDARD_OUTPUT) {
          fsyncSync(target);
          closeSync(target);
        }
        return lines;
      });
      if (json) printJson({ exported });
      else say(`exported ${counted(exported)}; they stay in the spool`);
    });
}

function create(file: string): number {
  try {
    return openSync(file, 'wx', 0o600);
  } catch (error) {
    throw new UsageError(`${file} cannot be made: ${(error as Error).message}`);
  }
}

/** A pipe may take a part of the bytes, or none until its reader has read. */
function writeFully(target: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(target, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}
