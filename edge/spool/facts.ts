import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Single values that the spool remembers, and the ids of regions. */
export class Facts {
  readonly #get: StatementSync;
  readonly #set: StatementSync;
  readonly #addRegion: StatementSync;
  readonly #regionId: StatementSync;

  constructor(database: DatabaseSync) {
    this.#get = database.prepare('select value from facts where name = ?');
    this.#set = database.prepare(
      'insert into facts values (?, ?) on conflict (name) do update set value = excluded.value',
    );
    this.#addRegion = database.prepare('insert into regions (name) values (?) on conflict (name) do nothing');
    this.#regionId = database.prepare('select id from regions where name = ?');
  }

  get(name: 'region' | 'damage' | 'loss_open' | 'run_ms'): string | undefined {
    const row = this.#get.get(name);
    return row === undefined ? undefined : String(row.value);
  }

  set(name: 'region' | 'run_ms', value: string | number): void {
    this.#set.run(name, value);
  }

  /** Never 0, which stands for no region. */
  regionId(name: string): number {
    const known = this.#regionId.get(name);
    if (known !== undefined) return Number(known.id);
    this.#addRegion.run(name);
    return Number(this.#regionId.get(name)?.id);
  }
}
