import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { elfHash, rebindLibc } from '../../stack/install/elf-versions.mjs';
import { modules, rebindAddon } from '../../stack/install/post-install.mjs';
import { elfNeeding } from './elf-fixture.ts';

const versions = { from: 'GLIBC_2.38', to: 'GLIBC_2.2.5' };

test('the install works on the folder that npm fills', () => {
  expect(existsSync(`${modules}.package-lock.json`)).toBe(true);
});

test('the version hash is the System V one', () => {
  // As in every dynamically linked program: readelf --version-info --wide shows these values.
  expect(elfHash('GLIBC_2.2.5')).toBe(0x09691a75);
  expect(elfHash('GLIBC_2.17')).toBe(0x06969197);
});

test('renamed symbols are bound to the plain name of the old version, others stay as they are', () => {
  const elf = elfNeeding({ strlen: 'GLIBC_2.2.5', __isoc23_strtol: 'GLIBC_2.38', __isoc23_sscanf: 'GLIBC_2.38' });
  expect(rebindLibc(elf.bytes, versions)).toEqual(['__isoc23_strtol', '__isoc23_sscanf']);
  expect(elf.symbols()).toEqual({ strlen: 'GLIBC_2.2.5', strtol: 'GLIBC_2.2.5', sscanf: 'GLIBC_2.2.5' });
  expect(elf.neededVersions().at(-1)).toEqual({ name: 'GLIBC_2.2.5', hash: elfHash('GLIBC_2.2.5') });
});

test('a file that needs anything else of the new version is refused', () => {
  const elf = elfNeeding({ strlen: 'GLIBC_2.2.5', arc4random: 'GLIBC_2.38' });
  expect(() => rebindLibc(elf.bytes, versions)).toThrow('arc4random of GLIBC_2.38 has no older twin');
});

test('an addon of unknown SHA-256 is refused and left as it is', () => {
  const { bytes } = elfNeeding({ strlen: 'GLIBC_2.2.5', __isoc23_strtol: 'GLIBC_2.38' });
  const before = Buffer.from(bytes);
  expect(() => rebindAddon('uws_linux_x64_137.node', bytes)).toThrow(
    /SHA-256 [0-9a-f]{64}\) is not a file that is known/,
  );
  expect(bytes.equals(before)).toBe(true);
});

test('the installed addon loads', async () => {
  expect(await import('uWebSockets.js')).toHaveProperty('App');
});
