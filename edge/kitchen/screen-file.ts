// The screens of a restaurant's own display, in a file of the agent: the restaurant has no PostgreSQL. Used by kitchen.ts and by `ordermesh edge screens`.

import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { newScreenId, SCREEN_KEPT_MS, SCREEN_SEEN_EVERY_MS } from '../../contracts/screens.ts';
import type { AdmittedScreen, NewPairing, Pairing, ScreenRegister } from '../../display/index.ts';

/** A screen of the restaurant. Its store is that of the agent. */
export interface StoreScreen {
  screenId: string;
  name: string;
  /** Milliseconds since 1970, like the next two. */
  createdAt: number;
  seenAt: number | null;
  expiresAt: number;
}

/** Agent and command may write at the same moment. */
const BUSY_MS_MAX = 2_000;

/** Beside the spool, and not in it: a spool that is salvaged or replaced keeps its screens. */
export function screenFileOf(spoolPath: string): string {
  return join(dirname(spoolPath), 'screens.db');
}

export class ScreenFile implements ScreenRegister, Disposable {
  readonly #db: DatabaseSync;
  readonly #storeId: string | undefined;
  readonly #now: () => number;

  /** @param storeId the agent's store, which its screens show; a command does not need it */
  constructor(path: string, storeId?: string, now: () => number = Date.now) {
    this.#db = new DatabaseSync(path, { timeout: BUSY_MS_MAX });
    this.#storeId = storeId;
    this.#now = now;
    this.#db.exec(`
      pragma journal_mode = wal;
      create table if not exists screens (
        screen_id text primary key, name text not null, token_hash blob not null unique,
        created_at integer not null, seen_at integer, expires_at integer not null) strict;
      create table if not exists pairings (
        code text primary key, token_hash blob not null unique, wants_store text, address text not null,
        expires_at integer not null) strict;`);
  }

  async find(tokenHash: Buffer): Promise<AdmittedScreen | undefined> {
    const row = this.#db
      .prepare('select screen_id as screenId, name from screens where token_hash = ? and expires_at > ?')
      .get(tokenHash, this.#now());
    return row && { screenId: String(row.screenId), name: String(row.name), storeId: this.#storeId };
  }

  async renew(screenIds: readonly string[]): Promise<ReadonlySet<string>> {
    const now = this.#now();
    const admitted = new Set(this.list().map(({ screenId }) => screenId));
    const seen = this.#db.prepare(
      'update screens set seen_at = ?, expires_at = ? where screen_id = ? and coalesce(seen_at, 0) < ?',
    );
    for (const id of screenIds)
      if (admitted.has(id)) seen.run(now, now + SCREEN_KEPT_MS, id, now - SCREEN_SEEN_EVERY_MS);
    return admitted;
  }

  async pairingOf(tokenHash: Buffer): Promise<Pairing | undefined> {
    return this.#pairing('token_hash', tokenHash);
  }

  async openPairing(pairing: NewPairing): Promise<Pairing | 'full' | 'taken'> {
    const { code, tokenHash, wantsStore = null, address, ttlMs, openMax, openOfAddressMax } = pairing;
    const now = this.#now();
    this.#db.prepare('delete from pairings where expires_at <= ?').run(now);
    const open = (where: string, ...values: string[]) =>
      Number(this.#db.prepare(`select count(*) as n from pairings ${where}`).get(...values)?.n);
    if (open('') >= openMax || open('where address = ?', address) >= openOfAddressMax) return 'full';
    const { changes } = this.#db
      .prepare('insert into pairings values (?, ?, ?, ?, ?) on conflict do nothing')
      .run(code, tokenHash, wantsStore, address, now + ttlMs);
    return changes === 0
      ? 'taken'
      : { code, wantsStore: wantsStore ?? undefined, address, expiresAt: new Date(now + ttlMs) };
  }

  findPairing(code: string): Pairing | undefined {
    return this.#pairing('code', code);
  }

  /** Admits the page that shows the code. @returns `undefined` for a code that is unknown, used or expired */
  admit(code: string, name: string): StoreScreen | undefined {
    const now = this.#now();
    const used = this.#db
      .prepare('delete from pairings where code = ? and expires_at > ? returning token_hash as hash')
      .get(code, now);
    if (used === undefined) return undefined;
    const screenId = newScreenId();
    this.#db
      .prepare('insert into screens values (?, ?, ?, ?, null, ?)')
      .run(screenId, name, used.hash as Uint8Array, now, now + SCREEN_KEPT_MS);
    return { screenId, name, createdAt: now, seenAt: null, expiresAt: now + SCREEN_KEPT_MS };
  }

  list(): StoreScreen[] {
    const columns = 'screen_id as screenId, name, created_at as createdAt, seen_at as seenAt, expires_at as expiresAt';
    return this.#db
      .prepare(`select ${columns} from screens where expires_at > ? order by name, created_at`)
      .all(this.#now()) as unknown as StoreScreen[];
  }

  /** @returns whether there was such a screen */
  revoke(screenId: string): boolean {
    return this.#db.prepare('delete from screens where screen_id = ?').run(screenId).changes > 0;
  }

  async close(): Promise<void> {
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #pairing(column: 'code' | 'token_hash', value: string | Buffer): Pairing | undefined {
    const row = this.#db
      .prepare(
        `select code, wants_store as wantsStore, address, expires_at as expiresAt from pairings where ${column} = ? and expires_at > ?`,
      )
      .get(value, this.#now());
    if (row === undefined) return undefined;
    const { code, wantsStore, address, expiresAt } = row;
    return {
      code: String(code),
      wantsStore: wantsStore === null ? undefined : String(wantsStore),
      address: String(address),
      expiresAt: new Date(Number(expiresAt)),
    };
  }
}
