import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linesOf, readInputFile } from '../../contracts/input-file.ts';
import { HeldIntake, sampleOrder, startServerOn } from '../gateway/support.ts';
import { startOrdermesh } from '../support/ordermesh.ts';

const latin = Buffer.from('caf\u00e9', 'latin1');
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-input-'));
});
afterAll(() => rm(directory, { recursive: true }));

test('a file that is no UTF-8 is refused with its line', async () => {
  const file = path.join(directory, 'menu.json');
  await writeFile(file, Buffer.concat([Buffer.from('{\n"\u00e9": "'), latin, Buffer.from('"}\n')]));
  await expect(readInputFile(file)).rejects.toThrow(`${file} is no UTF-8 from line 2 on; save it as UTF-8`);
  await writeFile(file, '\uFEFF{"name":"caf\u00e9"}');
  expect(await readInputFile(file)).toBe('{"name":"caf\u00e9"}');
});

test('lines are the bytes between line feeds, however the stream is cut', async () => {
  const whole = Buffer.concat([Buffer.from('one\r\n\n'), latin, Buffer.from('\nlast\r')]);
  const expected = [Buffer.from('one'), Buffer.from(''), latin, Buffer.from('last')];
  for (let size = 1; size <= whole.length; size++) {
    const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
      whole.subarray(index * size, (index + 1) * size),
    );
    const lines: Buffer[] = [];
    for await (const line of linesOf(Readable.from(chunks))) lines.push(line);
    expect(lines).toEqual(expected);
  }
});

test('send hands an order that is no UTF-8 to the gateway as it is, which refuses it', async () => {
  const intake = new HeldIntake();
  await using gateway = await startServerOn(intake);
  const token = (await gateway.bearer()).replace('Bearer ', '');
  const order = JSON.stringify(sampleOrder({ customerId: 'caf\u00e9' }));
  const child = startOrdermesh(['orders', 'send', '-', '--gateway', gateway.url, '--token', token, '--json'], {
    ORDERMESH_DATA_DIR: directory,
  });
  child.stdin.end(Buffer.from(`${order}\n`, 'latin1'));
  const [code, stdout, stderr] = await Promise.all([
    new Promise((resolve) => child.once('close', resolve)),
    text(child.stdout),
    text(child.stderr),
  ]);
  expect(stderr).toContain('400 ');
  expect(JSON.parse(stdout)).toMatchObject({ sent: 1, accepted: 0, refused: { 400: 1 } });
  expect(code).toBe(1);
}, 60_000);
