import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAcceptedIds } from '../../audit/accepted-ids.ts';
import { UsageError } from '../../contracts/failure.ts';

const ids = ['01936f2e-7c3a-7b1e-9d50-3f6f6f0c8a11', '01936f2e-7c3a-7b1e-9d50-3f6f6f0c8a12'];
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-accepted-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function read(text: string): Promise<string[]> {
  const file = path.join(directory, 'ids.txt');
  await writeFile(file, text);
  return await readAcceptedIds(file);
}

test.for([
  ['plain', `${ids.join('\n')}\n`],
  ['CRLF', `${ids.join('\r\n')}\r\n`],
  ['a byte order mark and blanks', `\uFEFF${ids.join(' \n\n\t')}  `],
] as const)('ids are read from a file with %s', async ([, text]) => {
  expect(await read(text)).toEqual(ids);
});

test('a line that is no orderId is named with its number', async () => {
  const refused = read(`${ids[0]}\n{"orderId":"${ids[1]}"}\n`);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(/ids\.txt, line 2: "\{.* is no orderId/);
});

test('a file without ids is refused', async () => {
  await expect(read('\n \n')).rejects.toThrow(/has no orderId: an audit of none proves nothing/);
});
