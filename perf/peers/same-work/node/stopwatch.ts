// Times one run of a competitor that runs in Node. Used by the programs beside this file.

import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import type { WorkResult } from '../work.ts';

/** Begins with the first record. When all records are acknowledged it prints the result and ends the program. */
export class Stopwatch {
  readonly #records: number;
  readonly #version: string;
  #begun: { at: number; cpu: NodeJS.CpuUsage } | undefined;
  #acknowledged = 0;

  constructor(records: number, version: string) {
    this.#records = records;
    this.#version = version;
  }

  /** Call it with each batch that was read; only the first call counts. */
  begin(): void {
    this.#begun ??= { at: performance.now(), cpu: process.cpuUsage() };
  }

  acknowledged(count: number): void {
    this.#acknowledged += count;
    if (this.#begun === undefined || this.#acknowledged < this.#records) return;
    const { user, system } = process.cpuUsage(this.#begun.cpu);
    const result: WorkResult = {
      records: this.#acknowledged,
      seconds: (performance.now() - this.#begun.at) / 1_000,
      processorSeconds: (user + system) / 1_000_000,
      version: this.#version,
    };
    console.log(JSON.stringify(result));
    process.exit();
  }
}

/** The version of an installed package. */
export function packageVersion(name: string): string {
  const file = findPackageJSON(name, import.meta.url);
  if (file === undefined) throw new Error(`${name} is not installed`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
